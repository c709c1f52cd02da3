// Loaded before everything else in every process of `npm test` and `npm run test:oldest`. JavaScript, so that no types
// are stripped for it.
//
// An import between modules of src, or of what is built from it, is resolved from its text alone. Node would look at the
// disk for each import again: a quarter of the time in which a command, a server or a thread of SQLite starts.
//
// A module of src becomes what is built from it
// - with TEST_DIST, in each process: in .oldest, file by file (test/package/oldest-node.ts);
// - with TEST_BUNDLE, in the programs and threads that tests start: in .bundle, the few files of the package
//   (test/package/bundle.ts). A command starts in two thirds of the time then, and is tested in the form that users get.
//   These files get some packages from one file (test/bundled-packages.ts).
//
// tap finds the test of an uncaught error through test/quick-domain.js.
//
// tap's records of the files of each process, for coverage and `--changed`, and its mocks become an empty module: no
// test uses them. On Node 22, they would send each import through a separate thread.
import { readdirSync } from 'node:fs'
import { registerHooks } from 'node:module'
import process from 'node:process'
import { pathToFileURL, URL } from 'node:url'

const root = new URL('../', import.meta.url).href
const sources = `${root}src/`
const domain = new URL('quick-domain.js', import.meta.url).href
const unused = /\/@tapjs\/(?:processinfo|mock)\/dist\/esm\/import\.mjs$/u
const oldest = `${root}.oldest/`
const built = builtFolder()
const packages = built === undefined || built === oldest ? [] : readdirSync(new URL('packages', built))
const [own, extension, format] = built === undefined ? [sources, '.ts', 'module-typescript'] : [built, '.js', 'module']

// tap adds a part of itself to NODE_OPTIONS. Each thread of SQLite would load it, and take twice as long, or three times
// on Node 22, to start.
process.env['NODE_OPTIONS'] = `--import=${import.meta.url}`

/** The folder of what is built from src, if this process gets that. */
function builtFolder() {
  if (process.env['TEST_DIST'] !== undefined) return oldest
  const [, main] = process.argv
  if (process.env['TEST_BUNDLE'] === undefined || main === undefined) return undefined
  // Tests, and what they start of test, import modules that have no separate file in the package.
  return pathToFileURL(main).href.startsWith(`${root}test/`) ? undefined : `${root}.bundle/`
}

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'async-hook-domain') return { url: domain, format: 'module', shortCircuit: true }
    if (unused.test(specifier)) return { url: 'data:text/javascript,', format: 'module', shortCircuit: true }
    const { parentURL } = context
    // A module that does not exist fails to load.
    if (specifier.startsWith('.') && specifier.endsWith(extension) && parentURL?.startsWith(own))
      return { url: new URL(specifier, parentURL).href, format, shortCircuit: true }
    if (packages.includes(`${specifier}.js`) && parentURL?.startsWith(own))
      return { url: `${own}packages/${specifier}.js`, format, shortCircuit: true }
    const found = next(specifier, context)
    // The page runs in a browser: dist has it as one file.
    if (built === undefined || !found.url.startsWith(sources) || found.url.startsWith(`${sources}page/`)) return found
    const [, path, rest = ''] = /^([^?#]*)\.ts([?#].*)?$/u.exec(found.url.slice(sources.length)) ?? []
    return path === undefined ? found : { ...found, url: `${built}${path}.js${rest}`, format }
  }
})
