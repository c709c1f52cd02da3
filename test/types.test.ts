import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'

import { projects } from './created-projects.ts'
import { makeFolder } from './folder.ts'
import { snippets } from './readme-snippets.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

/** Import packages or files that only the tests that run them have: test/package/recipes.ts, test/readme.test.ts. */
const runElsewhere = new Set(['first.test.ts', 'nest.ts', 'nest-fastify.ts', 'alias.ts', 'shared.ts', 'sentry.ts'])

// Risk: an editor that does not know the arguments of a handler, or README snippets or a new project that do not
// compile. One program for all. npm run typecheck checks the imported files.
t.test("the types keep their promises; the README's snippets and each project of npm create compile", (t) => {
  const folder = makeFolder(t)
  const names = [...snippets.keys()].filter((name) => name.endsWith('.ts') && !runElsewhere.has(name))
  t.ok(names.length >= 6)
  for (const name of names) writeFileSync(join(folder, name), snippets.get(name) ?? '')
  const files = [
    // A mounted one has all files of a standalone one.
    ...projects(join(folder, 'projects'))
      .filter(({ kind }) => kind === 'mounted')
      .flatMap((project) => project.files.filter((file) => file.endsWith('.ts'))),
    ...names.map((name) => join(folder, name)),
    ...['handlers', 'options', 'sources', 'providers', 'schema-value'].map((name) =>
      join(root, `test/types/${name}.ts`)
    )
  ]
  t.equal(errorsIn(files), '')
  t.end()
})

/** The compiler's errors in these files, by the project's own rules. */
function errorsIn(files: readonly string[]): string {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.parseJsonConfigFileContent({ compilerOptions: config.compilerOptions, files }, ts.sys, root)
  const program = ts.createProgram(files, options)
  const found = files.flatMap((file) => {
    const source = program.getSourceFile(file)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  })
  return ts.formatDiagnostics([...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics(), ...found], {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => root,
    getNewLine: () => '\n'
  })
}
