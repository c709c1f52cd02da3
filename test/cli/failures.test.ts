import { join } from 'node:path'
import t from 'tap'

import { openInbox } from '../../src/index.ts'
import { keyOf, named } from '../event-keys.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from '../inbox/arrivals.ts'
import { claim, settleAll } from '../inbox/contract.ts'
import { cliHere } from './rig.ts'

// Risk: at night, a list of a thousand dead letters that does not say that they have one cause.

t.test('failures are grouped, and the command that is shown replays the group', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const env = { RIVERHOOK_INBOX: inbox }
  const server = openInbox(inbox)
  await server.open()
  t.teardown(() => server.close())
  t.equal((await cliHere(['failures'], env)).stdout, 'No delivery fails.\n')
  await server.adopt(named('erp', "mail's").map((name) => ({ ...name, pattern: '*' })))
  const received = (id: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, id))
  await server.record([1, 2, 3].map((id) => arrival(String(id), ['erp'], { receivedAt: received(id) })))
  await server.record([arrival('4', ["mail's"], { receivedAt: received(4) })])
  for (const held of await claim(server, ['erp']))
    await settleAll(server, [held], { state: 'dead', error: `Error: no customer ${held.event.id}` })
  const dueAt = new Date(Date.now() + 60_000)
  await settleAll(server, await claim(server, ["mail's"]), { state: 'retry', dueAt, error: 'no', releaseKey: false })
  const { stdout } = await cliHere(['failures'], env)
  const [erp = '', mail = ''] = stdout.split('\n\n')
  t.match(
    erp,
    /^erp: 3 dead letters\n {2}Error: no customer #\n {2}last .* ago: 3\n {2}riverhook events replay --handler erp --state dead --since 2026-01-01T12:00:01\.000Z --until 2026-01-01T12:00:03\.001Z$/
  )
  t.match(
    mail,
    /^mail's: 1 waiting for a retry\n {2}no\n {2}last .* ago: 4\n {2}riverhook events replay 4 --handler 'mail'\\''s' --realm digital-river\n$/
  )
  const [, command = ''] = /riverhook (.*)$/m.exec(erp) ?? []
  const replayed = await cliHere([...command.split(' '), '--yes'], env)
  t.match(replayed, { code: 0, stdout: /3 deliveries/ })
  t.equal((await server.event(keyOf('1')))?.deliveries[0]?.state, 'pending')
  const json = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await cliHere(['failures', '--json', ...args], env)).stdout)
  t.same(
    await json('--since', '24h'),
    { failures: [], more: 0, isPartial: false },
    'the attempts of this test ended long ago'
  )
  t.equal((await cliHere(['failures', '--since', '24h'], env)).stdout, 'No delivery has failed since 24h.\n')
  t.match((await cliHere(['failures', '--handler', 'erp'], env)).stdout, 'No delivery fails.\n')
  t.match(await json(), {
    failures: [{ handler: "mail's", error: 'no', dead: 0, retrying: 1, events: 1, example: { id: '4' } }]
  })
})
