import { Agent } from 'node:http'

import pg from 'pg'
import t, { type Test } from 'tap'

import { postgresInbox } from '../../../src/index.ts'
import { whenSettled } from '../../../src/testing/index.ts'
import { event, listen, post, postOver, startReceiver, type Receiver } from '../../receive/receiver.ts'
import { run, startShared } from '../postgres-server.ts'

// Risk: under load, an effect that happens twice, or requests that wait for others' connections.

const server = await startShared()
t.teardown(() => server.stop())

/** A replica with a handler that books in its transaction, and one without effects. */
async function start(t: Test, url: string): Promise<Receiver> {
  const receiver = await startReceiver(t, { inbox: postgresInbox({ connectionString: url }), retry: { base: 1 } })
  receiver.app.riverhook.on('*', { name: 'book' }, ({ id }, { transaction }) =>
    transaction((tx) => tx.query('INSERT INTO booking (event_id, amount) VALUES ($1, 1)', [id]))
  )
  receiver.app.riverhook.on('*', { name: 'mail' }, () => undefined)
  return listen(receiver)
}

async function createShop(t: Test): Promise<string> {
  const url = await server.createDatabase(t)
  await run(url, 'CREATE TABLE booking (event_id text NOT NULL, amount numeric NOT NULL)')
  return url
}

t.test('a burst of duplicates over HTTP to two replicas: one record and one effect each', async (t) => {
  const url = await createShop(t)
  const replicas = [await start(t, url), await start(t, url)]
  const bodies = Array.from({ length: 100 }, (_, index) => event({ id: `e${index}` }))
  const statuses: Record<string, number> = {}
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => {
    agent.destroy()
  })
  // Fifty senders, each with all events in its own order.
  await Promise.all(
    Array.from({ length: 50 }, async (_, sender) => {
      for (let turn = 0; turn < bodies.length; turn += 1) {
        const body = bodies[(turn * (2 * sender + 1) + sender) % bodies.length]!
        let answer = { status: 503, body: {} as Record<string, unknown> }
        while (answer.status === 503) answer = await postOver(agent, replicas[(sender + turn) % 2]!.url, body)
        const what = `${answer.status} ${String(answer.body['status'])}`
        statuses[what] = (statuses[what] ?? 0) + 1
      }
    })
  )
  t.equal(statuses['202 accepted'], 100)
  t.equal(statuses['202 duplicate'], 4_900)
  const { inbox } = replicas[0]!.app.riverhook
  for (let index = 0; index < bodies.length; index += 1) await whenSettled(inbox, `e${index}`, { deliveries: 2 })
  t.match(await inbox.stats(), { events: 100, duplicates: 4_900, conflicts: 0, deliveries: { done: 200 } })
  t.same(await run(url, 'SELECT count(DISTINCT event_id)::int AS events, sum(amount)::int AS amount FROM booking'), [
    { events: 100, amount: 100 }
  ])
})

t.test('with 300 idle connections open, requests are accepted within their deadline', async (t) => {
  const url = await createShop(t)
  const receiver = await start(t, url)
  const idle = Array.from({ length: 300 }, () => new pg.Client({ connectionString: url }))
  t.teardown(() => Promise.all(idle.map((client) => client.end())))
  for (let start = 0; start < idle.length; start += 20)
    await Promise.all(idle.slice(start, start + 20).map((client) => client.connect()))
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => post(receiver.url, event({ id: `e${index}` })))
  )
  // An event that was not stored in time would be a 503.
  t.same([...new Set(answers.map(({ status }) => status))], [202])
})
