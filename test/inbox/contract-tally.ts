import { deepStrictEqual } from 'node:assert'

import fc from 'fast-check'
import type { Test } from 'tap'

import type { Arrival, Inbox, Settlement } from '../../src/inbox/inbox.ts'
import type { Outcome } from '../../src/model/event.ts'
import type { TallyQuery, TallyRow } from '../../src/model/tally.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, leaseMs, type Subject } from './contract.ts'
import { keyOf, named, realm } from '../event-keys.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const backfilled = { receipt: { judgedAt: '2026-01-01T00:00:00.000Z', checks: [], backfilled: true } } as const
const other = { body: Buffer.from('other') }

/** The contract of every engine for the tally: it must be equal to what was really recorded and attempted. */
export async function tallyContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('every recorded request is counted once, by type and outcome', async (t) => {
    const { inbox, now } = await open(t)
    await inbox.record([arrival('a'), arrival('b'), arrival('a'), arrival('r', [], { type: 'refund.done' })])
    await inbox.record([arrival('a', [], other), arrival('f', [], backfilled), quarantined('q'), quarantined('q')])
    t.same(await counts(inbox, now()), [
      'event "" duplicate 1',
      'event "" quarantined 1',
      'event "order.accepted" accepted 2',
      'event "order.accepted" backfilled 1',
      'event "order.accepted" conflict 1',
      'event "order.accepted" duplicate 1',
      'event "refund.done" accepted 1'
    ])
  })

  t.test('an accepted quarantined request is counted as the event that it becomes', async (t) => {
    const { inbox, now } = await open(t)
    await inbox.record([arrival('known'), quarantined('q1'), quarantined('q2', backfilled), quarantined('q3')])
    const admission = (request: string, id: string) => ({
      request: { realm, id: request },
      id,
      type: 'x',
      deliveries: []
    })
    t.same(
      await inbox.admit([
        admission('q1', '1'),
        admission('q2', '2'),
        admission('q3', 'known'),
        admission('q4', 'no such request')
      ]),
      ['accepted', 'accepted', 'conflict', 'unknown_request']
    )
    t.same(await counts(inbox, now()), [
      'event "" quarantined 3',
      'event "order.accepted" accepted 1',
      'event "x" accepted 1',
      'event "x" backfilled 1',
      'event "x" conflict 1'
    ])
  })

  t.test('every attempt is counted once, with its time; an old token counts nothing', async (t) => {
    const { inbox, now } = await open(t)
    await inbox.record(['1', '2', '3', '4', '5', '6', '7'].map((id) => arrival(id, ['ship'])))
    await inbox.record(['1', '2'].map((key, index) => arrival(`k${index}`, [{ handler: 'mail', orderKey: key }])))
    const [done, retry, dead, lost, released, parked, stale] = await claim(inbox, ['ship'])
    const [first, second] = await claim(inbox, ['mail'])
    const at = new Date(now())
    const end = (held: typeof done, outcome: Outcome, ms: number): Settlement => ({
      id: held!.id,
      token: held!.token,
      outcome,
      startedAt: new Date(now() - ms),
      endedAt: new Date(now())
    })
    await inbox.settle([
      end(done, { state: 'done' }, 5),
      end(retry, { state: 'retry', dueAt: at, error: 'e', releaseKey: false }, 10),
      end(dead, { state: 'dead', error: 'e' }, 20),
      end(lost, { state: 'lost', dueAt: at, error: 'e', counts: true, releaseKey: false }, 40),
      end(released, { state: 'released' }, 1),
      end(parked, { state: 'parked' }, 2),
      { ...end(stale, { state: 'done' }, 80), token: stale!.token + 1 },
      end(first, { state: 'done' }, 7),
      end(second, { state: 'done' }, 3)
    ])
    t.same(await inbox.settle([end(first, { state: 'done' }, 7)]), ['stale'])
    t.same(
      (await inbox.tally({ ...around(now()), kind: 'attempt' })).map(({ name, outcome, count, totalMs, maxMs }) => [
        name,
        outcome,
        count,
        totalMs,
        maxMs
      ]),
      [
        ['mail', 'done', 2, 10, 7],
        ['ship', 'dead', 1, 20, 20],
        ['ship', 'done', 1, 5, 5],
        ['ship', 'lost', 1, 0, 0],
        ['ship', 'parked', 1, 2, 2],
        ['ship', 'released', 1, 1, 1],
        ['ship', 'retry', 1, 10, 10]
      ]
    )
  })

  t.test('a lost run whose handler is gone is counted by the start that parks it', async (t) => {
    const { inbox, advance, now } = await open(t)
    await inbox.record([arrival('1', ['ship', 'mail'])])
    await claim(inbox, ['ship'])
    advance(leaseMs)
    await inbox.adopt(named('mail').map((name) => ({ ...name, pattern: '*' })))
    t.same(await counts(inbox, now(), 'attempt'), ['attempt "ship" lost 1'])
  })

  t.test('a replay, a restored event and a removed one change no count', async (t) => {
    const { inbox, now } = await open(t)
    const target = await open(t)
    await inbox.record([arrival('1', ['ship'])])
    await settleEach(inbox, ['ship'], now())
    const before = await counts(inbox, now())
    await inbox.replay([{ event: keyOf('1'), handler: 'ship' }])
    const detail = await inbox.event(keyOf('1'))
    await target.inbox.restore([detail!])
    await inbox.remove([keyOf('1')])
    t.same(await counts(inbox, now()), before)
    t.same(await counts(target.inbox, now()), [])
  })

  t.test('refused requests are counted in their minute, by endpoint and code', async (t) => {
    const { inbox, now } = await open(t)
    const at = new Date(now() - 2 * minuteMs)
    await inbox.countRequests([
      { endpoint: '/a', outcome: 'ONE', at, count: 2 },
      { endpoint: '/a', outcome: 'ONE', at: new Date(now()), count: 3 },
      { endpoint: '/b', outcome: 'TWO', at, count: 1 }
    ])
    await inbox.countRequests([{ endpoint: '/a', outcome: 'ONE', at, count: 5 }])
    await inbox.countRequests([])
    const minute = new Date(Math.floor(at.getTime() / minuteMs) * minuteMs)
    t.same(
      (await inbox.tally({ since: at, until: new Date(at.getTime() + minuteMs), step: 'minute', kind: 'request' })).map(
        ({ at, name, outcome, count }) => [at, name, outcome, count]
      ),
      [
        [minute, '/a', 'ONE', 7],
        [minute, '/b', 'TWO', 1]
      ]
    )
    t.match(await inbox.tally({ ...around(now()), name: '/a' }), [{ count: 10 }])
    await t.rejects(inbox.countRequests([{ endpoint: '/a', outcome: 'ONE', at, count: 0 }]), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /"count"/
    })
  })

  t.test('a query by minute or hour covers whole steps', async (t) => {
    const { inbox, advance, now } = await open(t)
    advance(hourMs - (now() % hourMs))
    const start = now()
    for (const ms of [0, minuteMs - 1, minuteMs, hourMs, 2 * hourMs]) {
      advance(start + ms - now())
      await inbox.record([arrival(`at ${ms}`)])
    }
    const list = async (since: number, until: number, step: TallyQuery['step']) =>
      (await inbox.tally({ since: new Date(start + since), until: new Date(start + until), step })).map(
        ({ at, count }) => [at.getTime() - start, count]
      )
    t.same(await list(0, hourMs, 'minute'), [
      [0, 2],
      [minuteMs, 1]
    ])
    t.same(await list(minuteMs - 1, minuteMs, 'minute'), [[0, 2]], 'the whole minute of its beginning')
    t.same(await list(minuteMs, minuteMs + 1, 'minute'), [[minuteMs, 1]], 'the whole minute of its end')
    t.same(await list(5 * minuteMs, hourMs, 'hour'), [[0, 3]])
    t.same(await list(0, hourMs + 1, 'hour'), [
      [0, 3],
      [hourMs, 1]
    ])
    for (const wrong of [{ step: 'day' }, { kind: 'events' }, { since: new Date(Number.NaN) }, { limit: 1 }])
      await t.rejects(async () => inbox.tally({ ...around(now()), ...wrong } as TallyQuery), {
        code: 'RIVERHOOK_OPTIONS_INVALID'
      })
  })

  // Risk: a sender with a secret invents types until the disk is full.
  t.test('in one minute, only 200 event types are counted by name', async (t) => {
    const { inbox, advance, now } = await open(t)
    const record = (from: number, count: number) =>
      inbox.record(
        Array.from({ length: count }, (_, index) =>
          arrival(`${from} ${index}`, [], { type: `type ${from + index} ${'x'.repeat(300)}` })
        )
      )
    await record(0, 150)
    await record(100, 150)
    const rows = await inbox.tally(around(now()))
    t.equal(rows.length, 201)
    t.equal(rows.find(({ name }) => name === 'other')?.count, 50)
    t.equal(
      rows.reduce((sum, { count }) => sum + count, 0),
      300
    )
    t.ok(rows.every(({ name }) => name.length < 300))
    advance(minuteMs)
    await record(300, 1)
    t.match((await inbox.tally({ ...around(now()), step: 'minute' })).at(-1)?.name, /^type 300/)
  })

  t.test('old minutes are folded into their hours in batches, and old hours are deleted', async (t) => {
    const { inbox, advance, now } = await open(t)
    advance(hourMs - (now() % hourMs))
    const start = now()
    for (let minute = 0; minute < 120; minute += 20) {
      advance(start + minute * minuteMs - now())
      await inbox.record([arrival(`at ${minute}`, ['ship'])])
      await settleEach(inbox, ['ship'], now())
    }
    const list = async (step: TallyQuery['step']) =>
      (await inbox.tally({ since: new Date(start), until: new Date(start + dayMs), step })).map(
        ({ at, kind, count, totalMs, maxMs }) => [at.getTime() - start, kind, count, totalMs, maxMs]
      )
    const hours = await list('hour')
    t.same(hours, [
      [0, 'attempt', 3, 30, 10],
      [0, 'event', 3, 0, 0],
      [hourMs, 'attempt', 3, 30, 10],
      [hourMs, 'event', 3, 0, 0]
    ])
    advance(hourMs)
    const prune = async (deleteBefore: number, foldBefore: number) => {
      const request = {
        deleteBefore: new Date(start + deleteBefore),
        foldBefore: new Date(start + foldBefore),
        limit: 1
      }
      let batches = 1
      while (await inbox.pruneTally(request)) batches += 1
      return batches
    }
    t.ok((await prune(0, 1.5 * hourMs)) > 2, 'in batches')
    t.same((await list('minute')).length, 8, 'two hours, and the minutes of the hour that is not over')
    t.same(await list('hour'), hours)
    await inbox.countRequests([{ endpoint: '/a', outcome: 'LATE', at: new Date(start + minuteMs), count: 1 }])
    await prune(0, 2 * hourMs)
    t.same(await list('minute'), await list('hour'))
    t.match(await list('hour'), [hours[0], hours[1], [0, 'request', 1], hours[2], hours[3]], 'late counts are added')
    await prune(hourMs, 2 * hourMs)
    t.same(await list('hour'), hours.slice(2))
    await prune(2 * hourMs, 2 * hourMs)
    t.same(await list('hour'), [])
  })

  // Risk: a path that changes events or attempts and not the counts, so that an alarm is raised in vain, or never.
  t.test('after any history, the tally is equal to what happened', async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const subject = await open(t)
        const { inbox, now } = subject
        const recorded: string[] = []
        await adopt(inbox, handlers)
        for (const each of steps) await perform(subject, recorded, each)
        const rows = await inbox.tally({
          since: new Date(now() - 30 * dayMs),
          until: new Date(now() + 1),
          step: 'hour'
        })
        const tally = {
          events: rows
            .filter(({ kind }) => kind === 'event')
            .map(toText)
            .sort(),
          attempts: rows
            .filter(({ kind }) => kind === 'attempt')
            .map(toText)
            .sort()
        }
        deepStrictEqual(tally, await findTruth(inbox, recorded))
      }),
      { numRuns: Number(process.env['RIVERHOOK_TEST_RUNS'] ?? 5) }
    )
    t.pass('no history was found with other counts')
  })
}

const handlers = ['ship', 'mail']

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      arrivals: fc.array(
        fc.record({
          id: fc.nat(9),
          key: fc.constantFrom(undefined, 'k'),
          kind: fc.constantFrom('accepted', 'accepted', 'backfilled', 'quarantined'),
          body: fc.nat(1)
        }),
        { minLength: 1, maxLength: 4 }
      )
    })
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      outcomes: fc.array(fc.constantFrom('done', 'retry', 'dead', 'lost', 'released', 'parked', 'hold'), {
        minLength: 4,
        maxLength: 4
      }),
      ms: fc.nat(50)
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('admit' as const), request: fc.nat(9), id: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('adopt' as const), handlers: fc.subarray(handlers) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replay' as const), id: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('prune' as const), hoursAgo: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(100, 10_000, minuteMs, hourMs) })
  }
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function perform({ inbox, advance, now }: Subject, recorded: string[], step: Step): Promise<void> {
  const note = (type: string, outcome: string): void => {
    recorded.push(`${Math.floor(now() / hourMs)} event ${type} ${outcome}`)
  }
  switch (step.do) {
    case 'record': {
      const arrivals = step.arrivals.map(({ id, key, kind, body }): Arrival => {
        const changes = { ...(kind === 'backfilled' && backfilled), body: Buffer.from(`${body}`) }
        return kind === 'quarantined'
          ? quarantined(`q${id}`, changes)
          : arrival(`e${id}`, [{ handler: 'ship', orderKey: key }, 'mail'], { ...changes, type: `type${id % 2}` })
      })
      for (const [index, result] of (await inbox.record(arrivals)).entries()) {
        const { kind, id } = step.arrivals[index]!
        note(kind === 'quarantined' ? '' : `type${id % 2}`, result === 'accepted' ? kind : String(result))
      }
      return
    }
    case 'run': {
      const held = (await claim(inbox, handlers)).slice(0, 10)
      const at = { startedAt: new Date(now()), endedAt: new Date(now() + step.ms) }
      advance(step.ms)
      const settlements = held.flatMap(({ id, token, lost }, index): Settlement[] => {
        const state = lost === undefined ? step.outcomes[index % 4]! : 'lost'
        return state === 'hold' ? [] : [{ id, token, outcome: toOutcome(state, now()), ...at }]
      })
      await inbox.settle(settlements)
      return
    }
    case 'admit': {
      const request = { realm, id: `q${step.request}` }
      const detail = await inbox.event(request)
      const [result] = await inbox.admit([{ request, id: `e${step.id}`, type: 'admitted', deliveries: [] }])
      if (result === 'unknown_request') return
      const isNew = result === 'accepted'
      note('admitted', isNew ? (detail!.backfilled ? 'backfilled' : 'accepted') : String(result))
      return
    }
    case 'adopt':
      return adopt(inbox, step.handlers)
    case 'replay':
      await inbox.replay([{ event: keyOf(`e${step.id}`), handler: 'ship', unlessDone: true }])
      return
    case 'prune':
      await inbox.pruneTally({
        deleteBefore: new Date(now() - 30 * dayMs),
        foldBefore: new Date(now() - step.hoursAgo * hourMs),
        limit: 1_000
      })
      return
    case 'advance':
      advance(step.ms)
  }
}

async function adopt(inbox: Inbox, names: readonly string[]): Promise<void> {
  await inbox.adopt(named(...names).map((name) => ({ ...name, pattern: '*' })))
}

function toOutcome(state: string, now: number): Outcome {
  const failed = { dueAt: new Date(now), error: 'e', releaseKey: false }
  if (state === 'retry') return { state, ...failed }
  if (state === 'lost') return { state, ...failed, counts: false }
  if (state === 'dead') return { state, error: 'e' }
  return { state: state as 'done' | 'released' | 'parked' }
}

/** Counts the results of the calls, and the attempts in the details of all events. */
async function findTruth(
  inbox: Inbox,
  recorded: readonly string[]
): Promise<{ readonly events: readonly string[]; readonly attempts: readonly string[] }> {
  const { events } = await inbox.events({ limit: 1_000 })
  const details = await Promise.all(events.map((key) => inbox.event(key)))
  const attempts = details.flatMap((detail) =>
    detail!.deliveries.flatMap(({ handler, attemptLog }) =>
      attemptLog
        .filter(({ state }) => state !== 'replayed')
        .map(({ state, startedAt, endedAt }) => ({
          text: `${Math.floor(endedAt.getTime() / hourMs)} attempt ${handler} ${state}`,
          ms: state === 'lost' ? 0 : endedAt.getTime() - startedAt.getTime()
        }))
    )
  )
  return {
    events: [...Map.groupBy(recorded, (text) => text)].map(([text, all]) => `${text} ${all.length} 0 0`).sort(),
    attempts: [...Map.groupBy(attempts, ({ text }) => text)]
      .map(([text, all]) => {
        const ms = all.map((each) => each.ms)
        return `${text} ${all.length} ${ms.reduce((sum, each) => sum + each, 0)} ${Math.max(...ms)}`
      })
      .sort()
  }
}

function toText({ at, kind, name, outcome, count, totalMs, maxMs }: TallyRow): string {
  return `${at.getTime() / hourMs} ${kind} ${name} ${outcome} ${count} ${totalMs} ${maxMs}`
}

function around(now: number): { readonly since: Date; readonly until: Date; readonly step: 'hour' } {
  return { since: new Date(now - hourMs), until: new Date(now + hourMs), step: 'hour' }
}

/** The counts of the current hours, one line for each. */
async function counts(inbox: Inbox, now: number, kind?: TallyQuery['kind']): Promise<readonly string[]> {
  const rows = await inbox.tally({ ...around(now), kind })
  return rows.map(({ kind, name, outcome, count }) => `${kind} "${name}" ${outcome} ${count}`)
}

/** Runs all due deliveries, each for 10 ms. */
async function settleEach(inbox: Inbox, handlers: readonly string[], now: number): Promise<void> {
  const at = { startedAt: new Date(now - 10), endedAt: new Date(now) }
  await inbox.settle(
    (await claim(inbox, handlers)).map(({ id, token }) => ({ id, token, outcome: { state: 'done' }, ...at }))
  )
}
