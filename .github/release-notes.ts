// node .github/release-notes.ts v0.2.0: prints the section of CHANGELOG.md for that version. Fails if the tag is not
// the version of package.json, or the section is missing or empty.
import { readFileSync } from 'node:fs'

/** @throws {Error} that says which step of the release is missing */
export function releaseNotes(tag: string, version: string, changelog: string): string {
  if (tag !== `v${version}`)
    throw new Error(`The tag is ${tag} and package.json has version ${version}: run npm version, and tag again`)
  const [, ...sections] = changelog.split(/^## /mu)
  const section = sections.find((each) => each.startsWith(`${version} (`))
  if (section === undefined) throw new Error(`CHANGELOG.md has no section "## ${version} (YYYY-MM-DD)"`)
  const notes = section.slice(section.indexOf('\n')).trim()
  if (notes === '') throw new Error(`CHANGELOG.md: the section of ${version} is empty`)
  return `${notes}\n`
}

if (import.meta.main) {
  const read = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
  const { version } = JSON.parse(read('package.json')) as { readonly version: string }
  process.stdout.write(releaseNotes(process.argv[2] ?? '', version, read('CHANGELOG.md')))
}
