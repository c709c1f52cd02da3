import { join } from 'node:path'

import t from 'tap'

import { makeFolder } from '../../folder.ts'
import { run, startPostgres } from '../../inbox/postgres-server.ts'
import { startServer } from '../../processes.ts'
import { event, post, secret } from '../../receive/receiver.ts'
import { placeHandlers } from '../place-handlers.ts'

const postgres = await startPostgres()
t.teardown(() => postgres.stop())

const names = ['before', 'within', 'result'] as const

// What a user would lose: a booking that is made twice, because a machine that seemed dead was only asleep.
t.test(
  'a replica that is stopped in its work and goes on when another has done it: refused, logged, one effect',
  async (t) => {
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
    // Whoever looks into the log of the heir sees why attempt 2 was made.
    await Promise.all(
      names.map((name) =>
        heir.line(new RegExp(`"handler":"${name}".*"error":"[^"]*process ${zombie.process.pid ?? 0} on .*run was lost`))
      )
    )
    zombie.process.kill('SIGCONT')
    const late = /The lease was lost while the handler ran|The lease had run out: the outcome was refused/
    await Promise.all(names.map((name) => zombie.line(new RegExp(`"handler":"${name}".*(?:${late.source})`))))
    t.same(
      await run(database, 'SELECT handler, count(*)::int AS count FROM effect GROUP BY handler ORDER BY handler'),
      [
        { handler: 'before', count: 1 },
        { handler: 'within', count: 1 }
      ]
    )
    t.same(await run(database, 'SELECT DISTINCT state, attempts FROM riverhook.delivery'), [
      { state: 'done', attempts: 2 }
    ])
    t.notOk(zombie.lines.some((line) => /(?:before|within): booked/.test(line)))
    t.same(await Promise.all([zombie.end('SIGTERM'), heir.end('SIGTERM')]), [0, 0])
  }
)
