import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

import { makeFolder } from './folder.ts'
import { runProcess } from './processes.ts'
import { snippets } from './readme-snippets.ts'

// What a user would lose: an editor that knows what a handler is given, and a README whose TypeScript compiles. One run of the compiler for both.
t.test('the promises about types hold, and the README\'s snippets are right in the eyes of the compiler', async (t) => {
  const root = fileURLToPath(new URL('../', import.meta.url))
  const folder = makeFolder(t)
  const names = [...snippets.keys()].filter((name) => name.endsWith('.ts'))
  t.ok(names.length >= 6)
  for (const name of names) writeFileSync(join(folder, name), snippets.get(name) ?? '')
  const files = [...names, join(root, 'test/types/handlers.ts')]
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), include: [], files }))
  const { code, stdout } = await runProcess(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder])
  t.equal(code, 0, stdout)
})
