// How the built files import the modules of Node. A static import of one loads all of it, with the parts of it that are
// loaded on first use otherwise: `node:fs` its streams. A command and a thread of SQLite do not use most of that.
import { isBuiltin } from 'node:module'

import type { Plugin } from 'esbuild'

/** Those that take milliseconds to load, and that few commands and threads call. Their functions load them. */
const late: readonly string[] = ['node:child_process', 'node:crypto', 'node:net', 'node:sqlite']

/** Needed to report a version of Node that has no `process.getBuiltinModule`. */
const first = 'node:module'

/** Gives each name of a module its value when the file is loaded. A function of `late` loads the module when called. */
function contentsOf(name: string): string {
  const values = process.getBuiltinModule(name) as Readonly<Record<string, unknown>>
  const isLate = late.includes(name)
  const load = `process.getBuiltinModule?.(${JSON.stringify(name)})`
  const names = Object.keys(values).filter((each) => /^[a-zA-Z]\w*$/u.test(each) && each !== 'default')
  const lines = names.map((each) =>
    isLate
      ? `export function ${each}(...given) { return new.target ? new (all().${each})(...given) : all().${each}(...given) }`
      : `export const ${each} = /* @__PURE__ */ (() => all.${each})()`
  )
  return isLate
    ? `let loaded
       const all = () => (loaded ??= ${load})
       ${lines.join('\n')}
       export default { ${names.map((each) => `get ${each}() { return all().${each} }`).join(', ')} }`
    : `const all = /* @__PURE__ */ (() => ${load} ?? {})()
       ${lines.join('\n')}
       export default all`
}

/** Builds files that load a module of Node without its parts, or when they call it first. */
export const builtinModules: Plugin = {
  name: 'builtin-modules',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) && path !== first
        ? { path, namespace: 'builtin', sideEffects: false }
        : undefined
    )
    onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({ contents: contentsOf(path), loader: 'js' }))
  }
}
