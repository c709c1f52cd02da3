import module from 'node:module'

/** Where `import ... from 'riverhook'` leads in this process: by specifier, the URL of our own module. */
const modules = new Map<string, string>()
let installed = false

/**
 * Makes `import ... from 'riverhook'` and `require('riverhook')` give this very package, wherever the importing file
 * lies: a handlers folder mounted into a container has no node_modules of its own, and another copy of the package
 * would have error classes and channels of its own. It holds for the whole process and is installed once; a later
 * call adds to the map.
 * @param packageUrl the module that `riverhook` stands for
 * @param subpaths by name (`testing` for `riverhook/testing`), the modules of the package's other exports
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
