// Builds packages that a server loads at each start into one file, for `npm test`. Node needs almost a millisecond for
// each of their 270 files: a sixth of the processor time of a start, in each server that a test starts. What users get,
// with these packages as npm installs them, is tested in `npm run test:oldest` and `npm run test:package`.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { build } from 'esbuild'

/**
 * Those with many files, which share nothing with the same package of a handler or a program: each may have a separate
 * copy. Not `pg`, whose parsers are for all who import it.
 */
const names = ['ajv', 'ajv-formats', 'fast-json-stringify', 'fastify', 'pino']

/**
 * Writes a module with the exports of each package, under its name, and the file that all of them share.
 * @param folder beside the modules that import them (test/quick-resolve.js)
 */
export async function bundlePackages(folder: string): Promise<void> {
  const loads = names.map((name) => `exports[${JSON.stringify(name)}] = () => require(${JSON.stringify(name)})`)
  await build({
    stdin: { contents: loads.join('\n'), resolveDir: import.meta.dirname },
    outfile: join(folder, 'all.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: `node${process.versions.node}`,
    // The names stay, for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    logLevel: 'warning'
  })
  for (const name of names) {
    const exported = Object.keys((await import(name)) as Record<string, unknown>)
    const named = exported.filter((each) => /^[a-z_$][\w$]*$/iu.test(each) && each !== 'default')
    const lines = [
      "import { createRequire } from 'node:module'",
      `const all = createRequire(import.meta.url)('./all.cjs')[${JSON.stringify(name)}]()`,
      ...(exported.includes('default') ? ['export default all'] : []),
      `export const { ${named.join(', ')} } = all`
    ]
    writeFileSync(join(folder, `${name}.js`), lines.join('\n'))
  }
}
