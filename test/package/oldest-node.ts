// npm run test:oldest. Runs all tests on the oldest supported Node. Risk: code that works on this clone's Node and
// fails on a merchant's (the SQLite of Node 22 differs from that of 24).
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { installNode, oldestNode } from './install-node.ts'

const folder = mkdtempSync(join(tmpdir(), 'riverhook-node-'))
try {
  const node = await installNode(oldestNode, join(folder, 'node'))
  const tap = fileURLToPath(new URL('../../node_modules/.bin/tap', import.meta.url))
  // First on the path too, for tests that start a program by name.
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` }
  process.exitCode = spawnSync(node, [tap, ...process.argv.slice(2)], { env, stdio: 'inherit' }).status ?? 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
