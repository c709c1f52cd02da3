import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import t, { type Test } from 'tap'

import { openInbox, type Inbox, type Job } from '../../../src/index.ts'
import { keyOf, named } from '../../event-keys.ts'
import { makeFolder } from '../../folder.ts'
import { arrival } from '../../inbox/arrivals.ts'
import { claim, settleAll } from '../../inbox/contract.ts'
import { run, startPostgres } from '../../inbox/postgres-server.ts'
import { startServer, type Server } from '../../processes.ts'
import { event } from '../../receive/receiver.ts'

const postgres = await startPostgres()
t.teardown(() => postgres.stop())

const handlersFile = `
import { defineHandler } from 'riverhook'
export default [defineHandler('order.accepted', { name: 'ship' }, () => undefined)]
`
const ids = Array.from({ length: 60 }, (_, index) => `e${index}`)

/** An inbox with dead letters, what starts a server on it, and a replay that takes some seconds. */
async function prepare(t: Test, database?: string) {
  const folder = makeFolder(t, { handlers: { 'handlers.js': handlersFile } })
  const address = database ?? `sqlite:${join(folder, 'inbox.db')}`
  const filling = openInbox(address)
  await filling.open()
  await filling.adopt(named('ship').map((handler) => ({ ...handler, pattern: 'order.accepted' })))
  await filling.record(ids.map((id) => arrival(id, ['ship'], { body: event({ id, type: 'order.accepted' }) })))
  await settleAll(filling, await claim(filling, ['ship']), { state: 'dead', error: 'no' })
  await filling.close()
  const serve = async (): Promise<Server> => {
    const server = await startServer({
      RIVERHOOK_SECRETS: 'whk_replay-job',
      RIVERHOOK_INBOX: address,
      RIVERHOOK_HANDLERS: join(folder, 'handlers')
    })
    t.teardown(() => server.end('SIGKILL'))
    return server
  }
  const inbox = openInbox(address, { role: 'command' })
  await inbox.open()
  t.teardown(() => inbox.close())
  const { id } = await inbox.addJob({
    kind: 'replay',
    filter: { state: 'dead' },
    includeDone: false,
    upTo: await inbox.position(),
    ratePerSecond: 10,
    planned: ids.length,
    actor: { name: 'ada', via: 'command' }
  })
  /** Polls, because another process works on it. */
  const job = async (is: (job: Job) => boolean): Promise<Job> => {
    for (;;) {
      const found = await inbox.job(id)
      if (found !== undefined && is(found)) return found
      await delay(50)
    }
  }
  return { inbox, serve, job }
}

/** Checks that the job is complete, and that every delivery was replayed once and has run. */
async function checkReplayed(t: Test, inbox: Inbox, job: Job): Promise<void> {
  t.match(job, { state: 'done', replayed: ids.length, created: 0, skipped: 0, planned: ids.length })
  for (const id of ids) {
    const read = async () => (await inbox.event(keyOf(id)))?.deliveries[0]
    let delivery = await read()
    while (delivery?.state === 'pending' || delivery?.state === 'running') {
      await delay(50)
      delivery = await read()
    }
    t.equal(delivery?.state, 'done', id)
    t.equal(delivery?.attemptLog.filter(({ state }) => state === 'replayed').length, 1, id)
  }
}

const hasBegun = ({ replayed }: Job): boolean => replayed > 0
const hasEnded = ({ endedAt }: Job): boolean => endedAt !== undefined

// Risk: a server that is killed in the middle of a replay, and deliveries that run twice or never.
t.test('SQLite: a replay continues when its killed server is started again, and replays nothing twice', async (t) => {
  const { inbox, serve, job } = await prepare(t)
  const server = await serve()
  await job(hasBegun)
  await server.end('SIGKILL')
  const { replayed } = await job(hasBegun)
  t.comment(`${replayed} of ${ids.length} were replayed before the kill`)
  const next = await serve()
  await checkReplayed(t, inbox, await job(hasEnded))
  t.equal(await next.end('SIGTERM'), 0)
})

t.test(
  'PostgreSQL: another replica continues the replay of one that is killed, and replays nothing twice',
  async (t) => {
    const address = await postgres.createDatabase(t)
    const { inbox, serve, job } = await prepare(t, address)
    const first = await serve()
    const { owner } = await job(hasBegun)
    const second = await serve()
    await first.end('SIGKILL')
    const { replayed } = await job(hasBegun)
    t.comment(`${replayed} of ${ids.length} were replayed before the kill`)
    // Half a minute later.
    await run(address, "UPDATE riverhook.job SET lease_until = now() WHERE state = 'running'")
    await checkReplayed(t, inbox, await job(hasEnded))
    t.equal(owner?.includes(`process ${first.process.pid} `), true, 'the first had begun')
    t.equal(await second.end('SIGTERM'), 0)
  }
)
