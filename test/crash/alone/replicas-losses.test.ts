import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import t from 'tap'

import { makeFolder } from '../../folder.ts'
import { run, startPostgres } from '../../inbox/postgres-server.ts'
import { startServer, type Server } from '../../processes.ts'
import { event, post, secret } from '../../receive/receiver.ts'
import { placeHandlers } from '../place-handlers.ts'

const postgres = await startPostgres()
t.teardown(() => postgres.stop())

// Both tests mostly wait for leases to expire.
t.jobs = 2

const names = ['before', 'within', 'result'] as const

// Risk: a booking that is made twice, because a machine that seemed dead was only suspended.
t.test('a replica that resumes after another has done its work is refused and logged: one effect', async (t) => {
  const handlers = join(makeFolder(t), 'handlers')
  placeHandlers(new URL('../replicas-zombie-handlers.ts', import.meta.url), handlers)
  const database = await postgres.createDatabase(t)
  await run(database, 'CREATE TABLE effect (handler text NOT NULL, event_id text NOT NULL)')
  const env = { RIVERHOOK_SECRETS: secret, RIVERHOOK_INBOX: database, RIVERHOOK_HANDLERS: handlers }
  const zombie = await startServer(env)
  t.teardown(() => zombie.end('SIGKILL'))
  t.equal((await post(`${zombie.url}/webhooks/digital-river`, event({ id: 'e1' }))).status, 202)
  await Promise.all(names.map((name) => zombie.line(new RegExp(`${name}: attempt 1 has begun`))))
  zombie.process.kill('SIGSTOP')
  const heir = await startServer(env)
  t.teardown(() => heir.end('SIGKILL'))
  await Promise.all(names.map((name) => heir.line(new RegExp(`${name}: booked`))))
  // The log of the replica that took over explains why attempt 2 was made.
  await Promise.all(
    names.map((name) =>
      heir.line(new RegExp(`"handler":"${name}".*"error":"[^"]*process ${zombie.process.pid ?? 0} on .*run was lost`))
    )
  )
  zombie.process.kill('SIGCONT')
  const late = /the lease was lost while the handler ran|the lease had ended: the outcome was refused/
  await Promise.all(names.map((name) => zombie.line(new RegExp(`"handler":"${name}".*(?:${late.source})`))))
  t.same(await run(database, 'SELECT handler, count(*)::int AS count FROM effect GROUP BY handler ORDER BY handler'), [
    { handler: 'before', count: 1 },
    { handler: 'within', count: 1 }
  ])
  t.same(await run(database, 'SELECT DISTINCT state, attempts FROM riverhook.delivery'), [
    { state: 'done', attempts: 2 }
  ])
  t.notOk(zombie.lines.some((line) => /(?:before|within): booked/.test(line)))
  t.same(await Promise.all([zombie.end('SIGTERM'), heir.end('SIGTERM')]), [0, 0])
})

// Risk: ten good orders that become dead letters because of one event that kills the process.
t.test('of events on two replicas, only the one that kills its process becomes a dead letter', async (t) => {
  const handlers = join(makeFolder(t), 'handlers')
  placeHandlers(new URL('../replicas-poison-handlers.ts', import.meta.url), handlers)
  const database = await postgres.createDatabase(t)
  const env = { RIVERHOOK_SECRETS: secret, RIVERHOOK_INBOX: database, RIVERHOOK_HANDLERS: handlers }
  const first = await startServer(env)
  const url = `${first.url}/webhooks/digital-river`
  // Recorded before the poison event, so that they run at the same time as it.
  for (let number = 1; number <= 10; number += 1) {
    t.equal((await post(url, event({ id: `good${number}`, type: 'order.accepted' }))).status, 202)
  }
  let isOver = false
  let starts = 1
  const replicas = new Map<number, Server>([[0, first]])
  // The poison event may kill a server before it listens.
  const ended = (error: Error): undefined => {
    if (starts > 50) throw error
    starts += 1
  }
  const supervise = async (which: number): Promise<void> => {
    for (;;) {
      const server = replicas.get(which) ?? (await startServer(env).catch(ended))
      if (server === undefined && isOver) return
      if (server === undefined) continue
      replicas.set(which, server)
      if (isOver) server.process.kill('SIGKILL')
      if (server.process.exitCode === null && server.process.signalCode === null) await once(server.process, 'exit')
      replicas.delete(which)
      if (isOver) return
      starts += 1
    }
  }
  const supervised = [supervise(0), supervise(1)]
  t.teardown(async () => {
    isOver = true
    for (const server of replicas.values()) server.process.kill('SIGKILL')
    await Promise.all(supervised)
  })
  t.equal((await post(url, event({ id: 'poison', type: 'order.blocked' }))).status, 202)
  // Both servers may be down at any moment, so query the database.
  const open = "SELECT 1 FROM riverhook.delivery WHERE state NOT IN ('done', 'dead')"
  while ((await run(database, open)).length > 0) await delay(200)
  t.same(
    await run(
      database,
      'SELECT handler, state, count(*)::int AS count FROM riverhook.delivery GROUP BY 1, 2 ORDER BY 1'
    ),
    [
      { handler: 'good', state: 'done', count: 10 },
      { handler: 'poison', state: 'dead', count: 1 }
    ]
  )
  const lost = await run(database, "SELECT sum(losses)::int AS losses FROM riverhook.delivery WHERE handler = 'good'")
  t.ok(Number(lost[0]?.['losses']) > 0, 'good deliveries ran at the same time')
  t.ok(starts > 2, `the poison event killed ${starts - 1} processes`)
})
