import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

import { openInbox } from '../../src/index.ts'
import { keysOf } from '../event-keys.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from '../inbox/arrivals.ts'
import { cliHere } from './rig.ts'

// Risk: personal data stays in the file of an inbox, because the process that erased it ended too early, or comes back
// because the erased event was removed.
t.test(
  'a second "events erase" overwrites what an interrupted one has left, and "events remove" keeps the event',
  async (t) => {
    const path = join(makeFolder(t), 'inbox.db')
    const inbox = openInbox(`sqlite:${path}`)
    await inbox.open()
    t.teardown(() => inbox.close())
    const marker = 'kim-4711@customer.example'
    await inbox.record([arrival('1', [], { about: [marker], body: Buffer.from(`{"email":"${marker}"}`) })])
    t.equal(await inbox.erase(keysOf('1')), 1)
    const isLeft = (): boolean => ['', '-wal'].some((suffix) => readFileSync(path + suffix).includes(marker))
    t.ok(isLeft())
    const { code, stdout, stderr } = await cliHere(['events', 'erase', '--about', marker, '--yes'], {
      RIVERHOOK_INBOX: `sqlite:${path}`
    })
    t.equal(code, 0, stderr)
    t.match(stdout, /^Nothing to erase\./)
    t.notOk(isLeft())
    const env = { RIVERHOOK_INBOX: `sqlite:${path}` }
    for (const args of [['1'], ['--state', 'erased']]) {
      const { stdout } = await cliHere(['events', 'remove', ...args, '--yes'], env)
      t.match(stdout, /^(1 event is kept: erased|The event is erased: it stays)[^\n]*\nNothing to remove\.\n$/)
    }
    t.match(await inbox.events({ limit: 9 }), { events: [{ id: '1', state: 'erased' }] })
  }
)
