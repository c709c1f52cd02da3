import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import pg from 'pg'

import { digitalRiver } from '../../src/index.ts'
import { startServer, type Server } from '../processes.ts'
import { findMiscounts } from './miscounts.ts'
import { placeHandlers } from './place-handlers.ts'
import { Answers } from './answers.ts'

export interface ReplicasReport {
  readonly kills: number
  /** Events that were answered 202. */
  readonly acknowledged: number
  /** Acknowledged events without an effect of some handler. Must be empty. */
  readonly lost: readonly string[]
  /** Effects that exist more than once. Must be empty. */
  readonly twice: readonly string[]
  /**
   * Handlers whose booked amounts differ from the sum of the amounts in their events: by handler, booked and expected.
   * Must be empty.
   */
  readonly wrongSums: readonly string[]
  /** Deliveries that are done and have no effect. Must be 0. */
  readonly doneWithout: number
  /** Order keys with effects at the same time, or in an order other than that of arrival. Must be empty. */
  readonly outOfOrder: readonly string[]
  /** Counts of the tally that differ from the stored events and attempts. Must be empty. */
  readonly miscounts: readonly string[]
  /** The exit codes of both replicas. Must be [0, 0]. */
  readonly exitCodes: readonly (number | null)[]
}

export interface ReplicasOptions {
  readonly folder: string
  /** The address of an empty database. */
  readonly database: string
  readonly kills: number
  readonly random: () => number
  readonly onKill?: (count: number, acknowledged: number) => void
}

const secret = 'whk_crash-test'
const senders = 4
/** Per sender and per kill. */
const eventsEach = 5
const keys = 5

/**
 * Runs two replicas on one database, kills either at random moments, and checks that effects happened exactly once and
 * in order.
 */
export async function crashReplicas({
  folder,
  database,
  kills,
  random,
  onKill
}: ReplicasOptions): Promise<ReplicasReport> {
  const handlers = join(folder, 'handlers')
  placeHandlers(new URL('./replica-handlers.ts', import.meta.url), handlers)
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  await client.query(
    'CREATE TABLE effect (id bigserial PRIMARY KEY, handler text NOT NULL, event_id text NOT NULL, order_key text, amount integer NOT NULL, beside boolean NOT NULL)'
  )
  const env = {
    RIVERHOOK_SECRETS: secret,
    RIVERHOOK_INBOX: database,
    RIVERHOOK_HANDLERS: handlers,
    RIVERHOOK_LOG_LEVEL: 'info'
  }
  const replicas: Server[] = await Promise.all([startServer(env), startServer(env)])
  const acknowledged = new Set<string>()
  for (let kill = 1; kill <= kills; kill += 1) {
    const answers = new Answers()
    // Some before the kill, some during it, some while one replica is alone.
    const sending = Array.from({ length: senders }, () => send(replicas, acknowledged, answers, random))
    await answers.more(Math.floor(random() * senders * eventsEach))
    await delay(random() * 20)
    const which = random() < 0.5 ? 0 : 1
    await replicas[which]?.end('SIGKILL')
    replicas[which] = await startServer(env)
    await Promise.all(sending)
    onKill?.(kill, acknowledged.size)
  }
  await settled(client)
  const exitCodes = await Promise.all(replicas.map((replica) => replica.end('SIGTERM')))
  const report = { kills, acknowledged: acknowledged.size, ...(await examine(client, acknowledged)), exitCodes }
  await client.end()
  return report
}

/** POSTs to either replica, and to the other one if that is down, as a load balancer does. */
async function send(
  replicas: readonly Server[],
  acknowledged: Set<string>,
  answered: Answers,
  random: () => number
): Promise<void> {
  const source = digitalRiver()
  for (let count = 0; count < eventsEach; count += 1) {
    const id = randomUUID()
    const body = Buffer.from(
      JSON.stringify({
        id,
        type: 'order.accepted',
        data: { object: { id: `key${Math.floor(random() * keys)}`, amount: 1 + Math.floor(random() * 1_000_000) } },
        liveMode: false,
        createdTime: new Date().toISOString()
      })
    )
    const first = random() < 0.5 ? 0 : 1
    const both = random() < 0.2
    for (const which of [first, 1 - first]) {
      const status = await post(`${replicas[which]?.url ?? ''}/webhooks/digital-river`, body, {
        'content-type': 'application/json',
        ...source.sign({ body, secret, at: new Date() })
      })
      if (status !== undefined) answered.add()
      if (status === 202) acknowledged.add(id)
      if (status === 202 && !both) break
    }
  }
}

async function post(
  url: string,
  body: Buffer<ArrayBuffer>,
  headers: Record<string, string>
): Promise<number | undefined> {
  try {
    const answer = await fetch(url, { method: 'POST', body, headers })
    await answer.arrayBuffer()
    return answer.status
  } catch {
    // The replica was killed. The outcome of the request is unknown, so try the other one.
    return undefined
  }
}

/** Resolves when no delivery is unsettled. Polls, because another process settles them. */
async function settled(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ unsettled: number }>(
      "SELECT count(*)::int AS unsettled FROM riverhook.delivery WHERE state NOT IN ('done', 'dead')"
    )
    if (rows[0]?.unsettled === 0) return
    await delay(100)
  }
}

async function examine(
  client: pg.Client,
  acknowledged: ReadonlySet<string>
): Promise<Pick<ReplicasReport, 'lost' | 'twice' | 'wrongSums' | 'doneWithout' | 'outOfOrder' | 'miscounts'>> {
  const { rows: effects } = await client.query<{
    handler: string
    event_id: string
    order_key: string | null
    beside: boolean
  }>('SELECT * FROM effect ORDER BY id')
  const counts = new Map<string, number>()
  for (const { handler, event_id: id } of effects)
    counts.set(`${handler} ${id}`, (counts.get(`${handler} ${id}`) ?? 0) + 1)
  const { rows: without } = await client.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM riverhook.delivery AS d JOIN riverhook.event AS e ON e.seq = d.event_seq
     WHERE d.state <> 'done' OR NOT EXISTS (SELECT 1 FROM effect WHERE effect.handler = d.handler AND effect.event_id = e.id)`
  )
  const { rows: sums } = await client.query<{ sum: string; is_right: boolean }>(
    `SELECT handler || ': ' || booked.amount || ' of ' || expected.amount AS sum, booked.amount = expected.amount AS is_right
     FROM (SELECT handler, coalesce(sum(amount), 0) AS amount FROM effect GROUP BY handler) AS booked
     FULL JOIN (SELECT d.handler, sum((convert_from(e.body, 'UTF8')::jsonb #>> '{data,object,amount}')::integer) AS amount
       FROM riverhook.delivery AS d JOIN riverhook.event AS e ON e.seq = d.event_seq GROUP BY d.handler) AS expected USING (handler)`
  )
  const { rows: arrived } = await client.query<{ event_id: string; order_key: string }>(
    "SELECT e.id AS event_id, d.order_key FROM riverhook.delivery AS d JOIN riverhook.event AS e ON e.seq = d.event_seq WHERE d.handler = 'ordered' ORDER BY d.id"
  )
  const ordered = effects.filter(({ handler }) => handler === 'ordered')
  const ofKey = (rows: readonly { event_id: string; order_key: string | null }[], key: string): string =>
    rows
      .filter((row) => row.order_key === key)
      .map(({ event_id: id }) => id)
      .join()
  const allKeys = [...new Set(arrived.map(({ order_key: key }) => key))]
  return {
    lost: [...acknowledged].filter((id) =>
      ['effect', 'flaky', 'ordered'].some((handler) => !counts.has(`${handler} ${id}`))
    ),
    twice: [...counts].filter(([, count]) => count > 1).map(([delivery]) => delivery),
    wrongSums: sums.filter((row) => !row.is_right).map(({ sum }) => sum),
    doneWithout: without[0]?.count ?? 0,
    miscounts: await findMiscounts('postgres', async (sql) => (await client.query<Record<string, unknown>>(sql)).rows),
    outOfOrder: [
      ...allKeys.filter((key) => ofKey(arrived, key) !== ofKey(ordered, key)),
      ...ordered.filter(({ beside }) => beside).map(({ order_key: key }) => `${String(key)}: beside another`)
    ]
  }
}
