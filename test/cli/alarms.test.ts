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

t.test('an alarm is acknowledged and reopened, and what cannot be checked is listed', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const cli = (...args: readonly string[]) => cliHere(['alarms', ...args], { RIVERHOOK_INBOX: inbox })
  const server = openInbox(inbox)
  await server.open()
  t.teardown(() => server.close())
  const { token = 0 } = await server.holdAlarms({ owner: 'server', leaseMs: 60_000 })
  const reported = { at: 1, step: 1 }
  const entry = { condition: 'dead', level: 'warn', text: '1 dead letter', step: 1, since: 1, value: 1, reported }
  const entries = [
    { ...entry, subject: 'erp' },
    { ...entry, subject: 'mail' }
  ]
  const unchecked = [
    { condition: 'failing', since: 1, reason: 'the log says why' },
    { condition: 'drift', since: 1, reason: 'the log says why', okSince: 2 }
  ]
  await server.saveAlarms({ token, leaseMs: 60_000, state: JSON.stringify({ entries, unchecked }) })
  t.match(await cli('acknowledge', 'dead'), { code: 2, stderr: /dead is raised for erp, mail: name one of them/ })
  t.match(await cli('acknowledge', 'space'), { stderr: /space is not raised; these are: dead erp, dead mail/ })
  t.match(await cli('acknowledge', 'dead', 'erp'), { code: 0, stdout: 'The alarm dead erp is acknowledged.\n' })
  t.match(await cli('acknowledge', 'dead', 'erp'), { stderr: /dead erp is not raised; these are: dead mail/ })
  const { stdout } = await cli()
  t.match(stdout, /dead +erp .* acknowledged: 1 dead letter *\n/)
  t.match(stdout, /dead +mail .* 1 dead letter *\n/)
  t.match(stdout, /failing .* cannot be checked: the log says why *\n/)
  t.notMatch(stdout, /drift/)
  const lines = (await cli('--json')).stdout.trim().split('\n')
  t.same(
    lines.map((line) => (JSON.parse(line) as { readonly state: string }).state),
    ['acknowledged', 'raised', 'unchecked']
  )
  t.match(await cli('reopen', 'dead'), { code: 0, stdout: 'The alarm dead erp is reported again.\n' })
  t.match(await cli('reopen', 'dead'), { stderr: /dead is not acknowledged; no alarm is/ })
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
