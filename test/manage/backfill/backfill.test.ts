import { pino } from 'pino'
import t from 'tap'

import { memoryInbox } from '../../../src/inbox/memory/engine.ts'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { backfillMark, keepBackfill } from '../../../src/manage/backfill/watch.ts'
import { backfill, type BackfillRequest } from '../../../src/manage/backfill/backfill.ts'
import { digitalRiver } from '../../../src/source/digital-river/index.ts'
import type { ListedRange } from '../../../src/source/source.ts'
import { arrival } from '../../inbox/arrivals.ts'
import { keyOf, realm } from '../../event-keys.ts'

const now = new Date('2026-02-01T00:00:00Z')
const hour = 3_600_000
const ago = (hours: number): Date => new Date(now.getTime() - hours * hour)
const all = { all: [{ pattern: '*' }], for: () => ['x'] }

interface Listed {
  readonly id: string
  readonly type?: string
  readonly hoursAgo: number
}

/** The provider's list, newest first. Each call is recorded. */
function listOf(events: readonly Listed[], calls: ListedRange[] = []) {
  const raw = events.map(({ id, type = 'order.accepted', hoursAgo }) => ({
    id,
    type,
    data: { object: {} },
    liveMode: false,
    createdTime: ago(hoursAgo).toISOString()
  }))
  return {
    horizonMs: 30 * 24 * hour,
    async *all(range: ListedRange) {
      calls.push(range)
      const inRange = raw.filter(
        ({ createdTime }) => new Date(createdTime) >= range.since && new Date(createdTime) < range.until
      )
      yield* inRange.sort((one, other) => (one.createdTime < other.createdTime ? 1 : -1))
    }
  }
}

async function openInbox(...ids: string[]): Promise<Inbox> {
  const inbox = memoryInbox()
  await inbox.open()
  await inbox.record(ids.map((id) => arrival(id)))
  return inbox
}

function run(inbox: Inbox, events: BackfillRequest['api']['events'], changes: Partial<BackfillRequest> = {}) {
  return backfill({
    api: { events },
    inbox,
    source: digitalRiver(),
    interest: all,
    realm,
    endpoint: '/hooks',
    since: ago(24),
    until: now,
    now,
    read: (request) => digitalRiver().read(request),
    deliveriesOf: ({ type }) => [{ handler: `for ${type}` }],
    ...changes
  })
}

t.test('missing events are recorded and marked, events that had arrived are left unchanged', async (t) => {
  const inbox = await openInbox('known')
  const report = await run(
    inbox,
    listOf([
      { id: 'new', hoursAgo: 1 },
      { id: 'known', hoursAgo: 2 },
      { id: 'old', hoursAgo: 20 }
    ])
  )
  t.match(report, {
    listed: 3,
    arrived: 1,
    recovered: 2,
    quarantined: 0,
    forgotten: 0,
    gap: undefined,
    oldest: ago(20).toISOString(),
    newest: ago(1).toISOString(),
    since: ago(24),
    until: now
  })
  t.match(await inbox.event(keyOf('new')), {
    backfilled: true,
    endpoint: '/hooks',
    deliveries: [{ handler: 'for order.accepted', state: 'pending' }]
  })
  t.match(await inbox.event(keyOf('known')), { backfilled: false, duplicates: 0 }, 'not even counted as a duplicate')
  t.match(
    await run(
      inbox,
      listOf([
        { id: 'new', hoursAgo: 1 },
        { id: 'old', hoursAgo: 20 }
      ])
    ),
    { arrived: 2, recovered: 0 },
    'a second run does nothing'
  )
})

t.test('events are recorded oldest first, in any order of the list, because order keys need it', async (t) => {
  const inbox = await openInbox()
  await run(inbox, listOf([5, 1, 23, 3, 12, 7].map((hoursAgo) => ({ id: String(hoursAgo), hoursAgo }))))
  t.same(
    (await inbox.events({ limit: 10 })).events.map(({ id }) => id),
    ['1', '3', '5', '7', '12', '23'],
    'newest first'
  )
})

t.test('a dry run changes nothing and reports the events that it would record', async (t) => {
  const inbox = await openInbox('known')
  t.match(
    await run(
      inbox,
      listOf([
        { id: 'new', hoursAgo: 1 },
        { id: 'known', hoursAgo: 2 }
      ]),
      { dryRun: true }
    ),
    { listed: 2, arrived: 1, recovered: 1 }
  )
  t.equal(await inbox.event(keyOf('new')), undefined)
})

t.test('only types of the handlers are fetched; by name if all of them name their types', async (t) => {
  const calls: ListedRange[] = []
  const events = listOf(
    [
      { id: 'a', hoursAgo: 1 },
      { id: 'b', type: 'refund.failed', hoursAgo: 2 }
    ],
    calls
  )
  const inbox = await openInbox()
  const interest = {
    all: [{ pattern: 'refund.failed' }],
    for: (type: string) => (type === 'refund.failed' ? ['x'] : [])
  }
  t.match(await run(inbox, events, { interest }), { listed: 1, recovered: 1 })
  t.same(calls[0]?.types, ['refund.failed'])
  t.equal(await inbox.event(keyOf('a')), undefined)
})

t.test("a window beyond the provider's horizon is reported as a gap", async (t) => {
  const calls: ListedRange[] = []
  const since = ago(24 * 40)
  const report = await run(await openInbox(), listOf([], calls), { since })
  t.same(report.gap, { since, until: ago(24 * 30) })
  t.same(report.since, ago(24 * 30))
  t.same(calls[0]?.since, ago(24 * 30), 'it is not requested')
})

t.test('an event that the inbox may have purged is not handled again', async (t) => {
  const inbox = await openInbox()
  await inbox.record([arrival('handled', [], { receivedAt: ago(200) })])
  await inbox.prune({ before: ago(100), limit: 10 })
  t.equal(await inbox.event(keyOf('handled')), undefined)
  const report = await run(
    inbox,
    listOf([
      { id: 'handled', hoursAgo: 200 },
      { id: 'missed', hoursAgo: 50 }
    ]),
    { since: ago(240) }
  )
  t.match(report, { listed: 2, recovered: 1, forgotten: 1 })
  t.equal(await inbox.event(keyOf('handled')), undefined)
})

t.test("the background backfill uses the inbox's clock: that of one replica may be months ahead", async (t) => {
  const inbox = memoryInbox({ clock: () => now.getTime() })
  await inbox.open()
  const events = listOf([{ id: 'missed', hoursAgo: 10 }])
  const source = { name: 'provider', types: [], withdrawnTypes: [], api: () => ({ events }) as never }
  await inbox.advance(realm, backfillMark('/hooks'), ago(20))
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const kept = keepBackfill({
    source,
    inbox,
    interest: all,
    realm,
    endpoint: '/hooks',
    everyMs: hour,
    overlapMs: hour,
    log: pino(
      { level: 'info' },
      {
        write: () => {
          resolve(undefined)
        }
      }
    ),
    read: (request) => digitalRiver().read(request),
    deliveriesOf: () => []
  })
  await promise
  await kept.end()
  t.ok(await inbox.event(keyOf('missed')), 'the mark must not pass unread events')
  t.same(await inbox.watermark(realm, backfillMark('/hooks')), now)
})

t.test('a listed event that is not a valid Event is quarantined, once', async (t) => {
  const inbox = await openInbox()
  const events = {
    horizonMs: 30 * 24 * hour,
    async *all() {
      yield { id: 'x', type: 'order.accepted', createdTime: 'yesterday' }
    }
  }
  t.match(await run(inbox, events, { since: ago(5) }), { listed: 1, recovered: 0, quarantined: 1 })
  t.match(await run(inbox, events, { since: ago(5) }), { listed: 1, arrived: 1, quarantined: 0 })
  t.match((await inbox.events({ state: 'quarantined', limit: 5 })).events, [
    { backfilled: true, reason: /createdTime|data/ }
  ])
})

t.test('complete parts are reported during the run; a stop ends it after the current part', async (t) => {
  const stop = new AbortController()
  const reached: Date[] = []
  const onProgress = ({ until }: { until: Date }): void => {
    reached.push(until)
    stop.abort()
  }
  const inbox = await openInbox()
  const report = await run(
    inbox,
    listOf([
      { id: 'early', hoursAgo: 23 },
      { id: 'late', hoursAgo: 1 }
    ]),
    { onProgress, signal: stop.signal }
  )
  t.same(reached, [ago(18)])
  t.match(report, { until: ago(18), recovered: 1 })
  t.equal(await inbox.event(keyOf('late')), undefined)
})

t.test('a failed run keeps the recorded events, and reports no part that was not read', async (t) => {
  const inbox = await openInbox()
  const events = listOf([
    { id: 'early', hoursAgo: 23 },
    { id: 'late', hoursAgo: 1 }
  ])
  const failing = {
    ...events,
    async *all(range: ListedRange) {
      yield* events.all(range)
      if (range.until.getTime() === now.getTime()) throw new Error('the connection was cut')
    }
  }
  const reached: Date[] = []
  await t.rejects(run(inbox, failing, { onProgress: ({ until }) => reached.push(until) }), /cut/)
  t.same(reached.at(-1), ago(6))
  t.ok(await inbox.event(keyOf('early')))
  t.match(await run(inbox, events), { arrived: 1, recovered: 1 }, 'the next run completes it')
})
