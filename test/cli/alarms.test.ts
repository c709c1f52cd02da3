import { join } from 'node:path'
import t from 'tap'

import { openInbox } from '../../src/index.ts'
import { startTarget } from '../forward/target.ts'
import { makeFolder } from '../folder.ts'
import { cliHere } from './rig.ts'

// Risk: a person who is called at night, and cannot see what is wrong now.

t.test('the alarms of the server are listed', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const env = { RIVERHOOK_INBOX: inbox }
  const server = openInbox(inbox)
  await server.open()
  t.teardown(() => server.close())
  t.equal((await cliHere(['alarms'], env)).stdout, 'No alarm is raised.\n')
  const { token = 0 } = await server.holdAlarms({ owner: 'server', leaseMs: 60_000 })
  const reported = { at: 1, step: 1 }
  const entry = { subject: 'erp', level: 'warn', text: '1 dead letter', step: 1, since: Date.UTC(2026, 0, 1), value: 1 }
  const entries = [
    { ...entry, condition: 'dead', reported },
    { ...entry, condition: 'failing' },
    { ...entry, condition: 'of another version', reported }
  ]
  await server.saveAlarms({ token, leaseMs: 60_000, state: JSON.stringify({ entries }) })
  t.match(
    (await cliHere(['alarms'], env)).stdout,
    /^level +alarm +subject +since.*\nwarn +dead +erp +2026.* +1 dead letter\n$/
  )
  const { stdout } = await cliHere(['alarms', 'list', '--json'], env)
  t.match(JSON.parse(stdout), { condition: 'dead', subject: 'erp', since: '2026-01-01T00:00:00.000Z' })
})

t.test('a test message is sent to the URL of the server', async (t) => {
  const target = await startTarget(t)
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const env = { RIVERHOOK_ALARM_URL: `${target.url}/hook/token`, RIVERHOOK_ALARM_SECRET: secret }
  t.match(await cliHere(['alarms', 'test'], env), {
    code: 0,
    stdout: `A test message was accepted by ${target.url}, signed.\n`
  })
  t.match(target.arrived, [{ url: '/hook/token', headers: { 'webhook-signature': /^v1,/ } }])
  t.match(await cliHere(['alarms', 'test']), { code: 2, stderr: /set RIVERHOOK_ALARM_URL/ })
})
