// npm run test:oldest. Runs the tests on the oldest supported Node, without those that no Node can change. Risk: code
// that works on this clone's Node and fails on a merchant's (the SQLite of Node 22 differs from that of 24).
//
// The tests import src and start its files, and get what is built from them, file by file (test/quick-resolve.js). On
// this Node, src would take twice as long: its types are stripped again in each process and each thread. It is built at
// each run, so that no older build passes for src. The files that a merchant runs, which have many modules each, are
// tested on this Node in test/package/tarball.ts.
import { execFile } from 'node:child_process'
import { globSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { runTap } from '../run-tap.ts'
import { installNode, oldestNode } from './install-node.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Tests of what is the same on every Node. */
const same = [
  // Documents, rules and types: they are read, not run.
  'test/{deploy,docs,house,language,surface,types}.test.ts',
  // The page, which runs in a browser. The API that it calls is tested in test/admin.
  'test/page.test.ts',
  // The decisions of PostgreSQL: its engine is SQL. Its connections and their faults, its transactions of handlers, and
  // what this side makes of values are in other files, which are not left out.
  'test/crash/alone/replicas*.test.ts',
  'test/inbox/alone/postgres{,-crowd,-merchant-pool}.test.ts',
  'test/inbox/postgres-{adopt,handlers,plans,reader,replicas,rights,settings,settle}.test.ts',
  // The contract again, with encryption. test/inbox/encryption.test.ts has all that is particular to it.
  'test/inbox/alone/encrypted*.test.ts'
]
const leftOut = same.flatMap((pattern) => {
  const found = globSync(pattern, { cwd: root })
  if (found.length === 0) throw new Error(`No test is named ${pattern}`)
  return found
})
const given = process.argv.slice(2)
const files =
  given.length > 0 ? given : globSync(['test/*.test.ts', 'test/*/alone/*.test.ts'], { cwd: root, exclude: leftOut })

rmSync(join(root, '.oldest'), { recursive: true, force: true })
const [node] = await Promise.all([
  installNode(oldestNode),
  promisify(execFile)('npm', ['run', '-s', 'build:js'], { cwd: root })
])
runTap(files, node, {
  TEST_DIST: '1',
  // Some of them run together with others: test/run-together.ts.
  ...(given.length > 0 ? {} : { TEST_LEAVE_OUT: leftOut.map((file) => join(root, file)).join(delimiter) })
})
