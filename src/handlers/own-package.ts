import module from 'node:module'

/** The modules that `import ... from 'riverhook'` loads in this process: the URL of our own module by specifier. */
const modules = new Map<string, string>()
let installed = false

/**
 * Makes `import ... from 'riverhook'` and `require('riverhook')` load this package, wherever the importing file is: a
 * handlers folder mounted into a container has no node_modules, and another copy of the package would have its own
 * error classes and channels. The hook applies to the whole process and is installed once; later calls add to the map.
 * @param packageUrl the module for `riverhook`
 * @param subpaths the modules of the package's other exports, by name (`testing` for `riverhook/testing`)
 */
export function resolveOwnPackage(
  packageUrl: string | URL,
  subpaths: Readonly<Record<string, string | URL>> = {}
): void {
  modules.set('riverhook', String(packageUrl))
  for (const [name, url] of Object.entries(subpaths)) modules.set(`riverhook/${name}`, String(url))
  if (installed) return
  installed = true
  module.registerHooks({
    resolve(specifier, context, nextResolve) {
      const url = modules.get(specifier)
      return url === undefined ? nextResolve(specifier, context) : { url, shortCircuit: true }
    }
  })
}
