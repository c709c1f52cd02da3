import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

import { projects } from './created-projects.ts'
import { makeFolder } from './folder.ts'
import { runProcess } from './processes.ts'
import { snippets } from './readme-snippets.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

/** Import packages or files that only the tests that run them have: test/package/recipes.ts, test/readme.test.ts. */
const runElsewhere = new Set(['first.test.ts', 'nest.ts', 'nest-fastify.ts', 'alias.ts', 'shared.ts', 'sentry.ts'])

// Risk: an editor that does not know the arguments of a handler, or README snippets or a new project that do not
// compile. One program for all. npm run typecheck checks the imported files.
t.test("the types keep their promises; the README's snippets and each project of npm create compile", async (t) => {
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
  const project = join(folder, 'tsconfig.json')
  writeFileSync(
    project,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), files, include: [], compilerOptions: { rootDir: '/' } })
  )
  const compiler = join(root, 'node_modules/typescript-native/bin/tsc')
  const args = [compiler, '-p', project, '--pretty', 'false', '--singleThreaded']
  // It ends soon: to free memory would be a fifth of its work.
  t.match(await runProcess(process.execPath, args, { env: { GOGC: 'off' } }), { code: 0, stdout: '' })
})
