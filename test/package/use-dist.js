// Maps each module of src to what `npm run build:js` made of it in dist. `npm run test:oldest` loads this file before
// everything else in every process: Node 22 would strip the types again in each process and each thread, which takes
// longer than most of the tests. JavaScript, so that this file needs no stripping either.
import { registerHooks } from 'node:module'
import { URL } from 'node:url'

const root = new URL('../../', import.meta.url).href
const sources = `${root}src/`

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context)
    // The page runs in a browser: dist has it as one file.
    if (!found.url.startsWith(sources) || found.url.startsWith(`${sources}page/`)) return found
    const [, path, rest = ''] = /^([^?#]*)\.ts([?#].*)?$/u.exec(found.url.slice(sources.length)) ?? []
    // A module that is not in dist fails to load.
    return path === undefined ? found : { ...found, url: `${root}dist/${path}.js${rest}`, format: 'module' }
  }
})
