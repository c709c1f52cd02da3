import { join } from 'node:path'
import t from 'tap'

import { makeFolder } from './folder.ts'
import { runProcess } from './processes.ts'

// Risk: tests that do not run, without a failure that says so.

const first = `
import t from 'tap'
t.teardown(() => undefined)
t.test('the first file', async (t) => { t.pass() })
`
// The wait is what is tested: tap must have the time to find that no test is left.
const second = `
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
await delay(1_500)
t.test('the second file', async (t) => { t.pass() })
`

t.test('all tests of a folder run, however long a file waits while it is loaded', async (t) => {
  const runTogether = new URL('run-together.ts', import.meta.url).href
  const folder = makeFolder(t, {
    'main.mjs': `import { runTogether } from '${runTogether}'\nawait runTogether(import.meta.dirname)`,
    'a.test.ts': first,
    'b.test.ts': second
  })
  const { code, stdout } = await runProcess(process.execPath, [join(folder, 'main.mjs')], { env: { TAP: '1' } })
  t.match(stdout, /^ok 1 - 2 files are loaded.*^ok 2 - the first file.*^ok 3 - the second file.*^1\.\.3$/msu)
  t.equal(code, 0)
  const leftOut = await runProcess(process.execPath, [join(folder, 'main.mjs')], {
    env: { TAP: '1', TEST_LEAVE_OUT: join(folder, 'b.test.ts') }
  })
  t.match(leftOut.stdout, /^ok 1 - 1 files are loaded.*^ok 2 - the first file.*^1\.\.2$/msu, 'one that is left out')
})

const ways = ['timer', 'immediate', 'tick', 'promise', 'file', 'connection']
const throwing = `
import { readFile } from 'node:fs'
import { connect } from 'node:net'
import t from 'tap'
const ways = {
  timer: (work) => setTimeout(work, 1),
  immediate: (work) => setImmediate(work),
  tick: (work) => process.nextTick(work),
  promise: (work) => void Promise.resolve().then(work),
  file: (work) => readFile(import.meta.filename, work),
  connection: (work) => connect(1, '127.0.0.1').on('error', () => {}).on('close', work)
}
// All tests run at the same time, until each of the others has thrown its error.
const all = Promise.withResolvers()
let left = Object.keys(ways).length
t.jobs = left + 1
t.test('none', { buffered: true }, async (t) => {
  await all.promise
  t.pass('no error')
})
for (const [name, way] of Object.entries(ways))
  t.test(name, { buffered: true }, async () => {
    way(() => {
      left -= 1
      if (left === 0) setImmediate(all.resolve)
      throw new Error('thrown in ' + name)
    })
    await all.promise
  })
`

t.test('an uncaught error is a failure of the test that it belongs to, and of no other', async (t) => {
  const folder = makeFolder(t, { 'main.mjs': throwing })
  const { code, stdout } = await runProcess(process.execPath, [join(folder, 'main.mjs')], { env: { TAP: '1' } })
  const failures = [...stdout.matchAll(/^ *not ok \d+ - thrown in (\w+)[^]*?^not ok \d+ - (\w+)/gmu)]
  t.same(
    failures.map(([, error, test]) => `${error} fails ${test}`),
    ways.map((name) => `${name} fails ${name}`)
  )
  t.match(stdout, /^ok 1 - none/mu)
  t.equal(code, 1)
})
