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
})
