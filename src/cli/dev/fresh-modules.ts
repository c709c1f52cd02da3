import module, { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

import { ownFolder } from '../../programs.ts'

/** The code of this package, which is never loaded again. */
const ownCode = ownFolder.href
const { cache } = createRequire(import.meta.url)

/**
 * Loads the files of the user's project again after a change. Node keeps each module under its URL, so the hook gives
 * the URLs of a new generation another query. Modules of older generations stay in memory until the process ends.
 */
class FreshModules {
  #generation = 0
  readonly #files = new Set<string>()
  #isInstalled = false

  /** Begins to note which files are loaded. The hook is for the whole process. */
  install(): void {
    if (this.#isInstalled) return
    this.#isInstalled = true
    module.registerHooks({
      resolve: (specifier, context, nextResolve) => {
        const resolved = nextResolve(specifier, context)
        const { url } = resolved
        if (!isOfProject(url)) return resolved
        this.#files.add(fileURLToPath(url))
        // CommonJS modules are cached by their file names.
        if (this.#generation === 0 || context.conditions.includes('require')) return resolved
        return { ...resolved, url: `${url.replace(/\?.*/, '')}?generation=${this.#generation}` }
      }
    })
  }

  /** The files of the project that were loaded. */
  get files(): ReadonlySet<string> {
    return this.#files
  }

  /** Makes the next import of each file of the project load it again. */
  renew(): void {
    this.#generation += 1
    for (const file of Object.keys(cache)) if (this.#files.has(file)) Reflect.deleteProperty(cache, file)
  }
}

export const freshModules = new FreshModules()

/** Whether a module is one of the user's own files. */
export function isOfProject(url: string): boolean {
  return url.startsWith('file:') && !url.startsWith(ownCode) && !url.includes('/node_modules/')
}
