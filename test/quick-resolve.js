// Loaded before everything else in every process of `npm test` and `npm run test:oldest`. JavaScript, so that no types
// are stripped for it.
//
// An import between modules of src, or of .oldest, is resolved from its text alone. Node would look at the disk for each
// import again: a quarter of the time in which a command, a server or a thread of SQLite starts.
//
// With TEST_DIST, a module of src becomes what `npm run build:js` made of it in .oldest: see test/package/oldest-node.ts.
import { registerHooks } from 'node:module'
import process from 'node:process'
import { URL } from 'node:url'

const root = new URL('../', import.meta.url).href
const sources = `${root}src/`
const built = `${root}.oldest/`
const usesDist = process.env['TEST_DIST'] !== undefined
const [own, extension, format] = usesDist ? [built, '.js', 'module'] : [sources, '.ts', 'module-typescript']

// tap adds a part of itself to NODE_OPTIONS. Each thread of SQLite would load it, and take twice as long, or three times
// on Node 22, to start.
process.env['NODE_OPTIONS'] = `--import=${import.meta.url}`

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL } = context
    // A module that does not exist fails to load.
    if (specifier.startsWith('.') && specifier.endsWith(extension) && parentURL?.startsWith(own))
      return { url: new URL(specifier, parentURL).href, format, shortCircuit: true }
    const found = next(specifier, context)
    // The page runs in a browser: dist has it as one file.
    if (!usesDist || !found.url.startsWith(sources) || found.url.startsWith(`${sources}page/`)) return found
    const [, path, rest = ''] = /^([^?#]*)\.ts([?#].*)?$/u.exec(found.url.slice(sources.length)) ?? []
    return path === undefined ? found : { ...found, url: `${built}${path}.js${rest}`, format }
  }
})
