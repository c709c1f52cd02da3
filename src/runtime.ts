import { createRequire } from 'node:module'

// Must parse and link on Node 14, to report versions that cannot load the rest of the package.

/** The version of this package. */
export function packageVersion(): string {
  return readPackage().version
}

/** By the name of the package: a build may put this module into another folder. */
function readPackage(): { readonly version: string; readonly engines: { readonly node: string } } {
  return createRequire(import.meta.url)('riverhook/package.json') as ReturnType<typeof readPackage>
}

/**
 * Why this runtime cannot run the package: a sentence, or undefined.
 * @param versions `process.versions`
 */
export function unsupportedRuntime(versions: Readonly<Record<string, string | undefined>>): string | undefined {
  const { engines } = readPackage()
  const least = engines.node.replace('>=', '')
  const { bun, deno, node = '0.0' } = versions
  if (bun !== undefined) return `riverhook needs Node.js ${least} or newer; this is Bun ${bun}`
  if (deno !== undefined) return `riverhook needs Node.js ${least} or newer; this is Deno ${deno}`
  return isOlder(node, least) ? `riverhook needs Node.js ${least} or newer; this is v${node}` : undefined
}

function isOlder(version: string, than: string): boolean {
  const [[major = 0, minor = 0] = [], [leastMajor = 0, leastMinor = 0] = []] = [version, than].map((text) =>
    text.split('.').map(Number)
  )
  return major < leastMajor || (major === leastMajor && minor < leastMinor)
}
