import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { Test } from 'tap'

import type { Inbox, Lease } from '../../src/inbox/inbox.ts'
import { memoryInbox } from '../../src/inbox/memory/engine.ts'
import { arrival } from './arrivals.ts'
import { keyOf, keysOf, named, source } from '../event-keys.ts'

// The memory engine is the model: any operations, in any order, must give the same answers in both engines. Risk: order
// keys, leases and replays in combinations that no other test covers.

const handlers = ['ship', 'mail']
const keys = [undefined, 'k1', 'k2']

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      id: fc.nat(12),
      key: fc.constantFrom(...keys),
      body: fc.nat(1),
      claims: fc.nat(2)
    })
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('claimSuspects' as const), limit: fc.integer({ min: 1, max: 4 }) })
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which: fc.nat(5),
      state: fc.constantFrom('done', 'retry', 'skip', 'dead', 'lost', 'lost alone', 'released', 'parked')
    })
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 400, 1000, 5000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('extend' as const), which: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('replay' as const), id: fc.nat(12), handler: fc.constantFrom(...handlers) })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('adopt' as const), handlers: fc.subarray(handlers) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('pause' as const, 'resume' as const),
      handler: fc.constantFrom(...handlers)
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), id: fc.nat(12) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('prune' as const),
      ages: fc.array(fc.constantFrom(0, 400, 1000, 5000), { minLength: 3, maxLength: 3 })
    })
  }
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Compares an engine with the memory engine. `create` returns a fresh one that uses the given clock. */
export async function sameAsMemory(t: Test, create: (clock: () => number) => Inbox | Promise<Inbox>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
      let now = 1_000_000
      const clock = (): number => now
      const engines = [memoryInbox({ clock }), await create(clock)]
      const held: Lease[][] = [[], []]
      const mayClaimNew = engines.every(({ recordAndClaim }) => recordAndClaim !== undefined)
      for (const inbox of engines) {
        await inbox.open()
        await inbox.adopt(handlers.map((name) => ({ name, source, pattern: '*' })))
      }
      try {
        for (const [index, step] of steps.entries()) {
          if (step.do === 'advance') now += step.ms
          else {
            now += 1
            const [one, two] = [
              await perform(engines[0]!, held[0]!, step, now, mayClaimNew),
              await perform(engines[1]!, held[1]!, step, now, mayClaimNew)
            ]
            if (!isDeepStrictEqual(two, one))
              throw new Error(`differs at step ${index}: ${JSON.stringify({ one, two })}`)
          }
        }
        const [one, two] = [await whole(engines[0]!), await whole(engines[1]!)]
        if (!isDeepStrictEqual(two, one)) throw new Error(`the final states differ: ${JSON.stringify({ one, two })}`)
      } finally {
        for (const inbox of engines) await inbox.close()
      }
    }),
    { numRuns: Number(process.env['RIVERHOOK_TEST_RUNS'] ?? 20) }
  )
  t.pass('no history was found with different answers')
}

async function perform(
  inbox: Inbox,
  held: Lease[],
  step: Exclude<Step, { do: 'advance' }>,
  now: number,
  mayClaimNew: boolean
): Promise<unknown> {
  const at = { startedAt: new Date(now), endedAt: new Date(now) }
  switch (step.do) {
    case 'record': {
      const deliveries = handlers.map((handler) => ({ handler, orderKey: step.key }))
      const about = [`order-${step.id % 3}`, `body-${step.body}`]
      const arrivals = [arrival(`e${step.id}`, deliveries, { body: Buffer.from(`body ${step.body}`), about })]
      if (step.claims === 0 || !mayClaimNew) return inbox.record(arrivals)
      const wants = handlers.map((handler) => ({ handler, source, limit: 1 }))
      const recorded = await inbox.recordAndClaim!(arrivals, { owner: 'me', leaseMs: 1000, wants, limit: step.claims })
      held.unshift(...recorded.claim.deliveries, ...recorded.claimed)
      return { ...recorded, claim: recorded.claim.deliveries.map(({ id, token, lost }) => [id, token, lost]) }
    }
    case 'claim': {
      const wants = handlers.map((handler) => ({ handler, source, limit: step.limit }))
      const { deliveries } = await inbox.claim({ owner: 'me', leaseMs: 1000, wants, limit: 5 })
      held.unshift(...deliveries)
      return deliveries.map(({ id, token, handler, orderKey, attempt, losses, suspicion, lost, event }) => [
        id,
        token,
        handler,
        orderKey,
        attempt,
        losses,
        suspicion,
        lost,
        event.id
      ])
    }
    case 'claimSuspects': {
      const suspects = await inbox.suspects(named(...handlers))
      const chosen = suspects.slice(0, step.limit).map(({ id }) => id)
      const claimed = (
        await inbox.claimSuspects({ owner: 'me', leaseMs: 1000, ids: chosen, onLoss: 'attempt' })
      ).toSorted((a, b) => a.id - b.id)
      held.unshift(...claimed)
      return [
        suspects,
        claimed.map(({ id, token, attempt, losses, suspicion }) => [id, token, attempt, losses, suspicion])
      ]
    }
    case 'settle': {
      const lease = held[step.which]
      if (lease === undefined) return undefined
      return inbox.settle([{ id: lease.id, token: lease.token, outcome: outcomeOf(step.state, now), ...at }])
    }
    case 'extend':
      return inbox.extend(held.slice(step.which, step.which + 2), 1000)
    case 'replay':
      return inbox.replay([{ event: keyOf(`e${step.id}`), handler: step.handler }])
    case 'adopt':
      return inbox.adopt(step.handlers.map((name) => ({ name, source, pattern: '*' })))
    case 'pause':
      return inbox.pause(step.handler)
    case 'resume':
      return inbox.resume(step.handler)
    case 'remove':
      return inbox.remove(keysOf(`e${step.id}`))
    case 'prune': {
      const [age = 0, deadAge = 0, quarantinedAge = 0] = step.ages.toSorted((one, other) => one - other)
      const [before, deadBefore, quarantinedBefore] = [age, deadAge, quarantinedAge].map((ms) => new Date(now - ms))
      const purged = await inbox.prune({ before: before!, deadBefore, quarantinedBefore, limit: 50 })
      return [purged, await inbox.watermarks()]
    }
  }
}

function outcomeOf(state: string, now: number) {
  switch (state) {
    case 'retry':
    case 'skip':
      return { state: 'retry', dueAt: new Date(now + 500), error: 'x', releaseKey: state === 'skip' } as const
    case 'dead':
      return { state: 'dead', error: 'x' } as const
    case 'lost':
    case 'lost alone':
      return {
        state: 'lost',
        dueAt: new Date(now + 500),
        error: 'x',
        counts: state === 'lost alone',
        releaseKey: false
      } as const
    case 'released':
      return { state: 'released' } as const
    case 'parked':
      return { state: 'parked' } as const
    default:
      return { state: 'done' } as const
  }
}

async function whole(inbox: Inbox): Promise<unknown> {
  const { events } = await inbox.events({ limit: 1000 })
  const details = await Promise.all(events.map(({ id }) => inbox.event(keyOf(id))))
  return {
    details: details.map((detail) => ({ ...detail, body: Buffer.from(detail!.body).toString() })),
    about: await Promise.all(
      ['order-1', 'order-*', 'body-0'].map(async (about) => {
        const { events } = await inbox.events({ about, limit: 1000 })
        return events.map(({ id }) => id)
      })
    ),
    stats: await inbox.stats(),
    tally: await inbox.tally({ since: new Date(0), until: new Date(86_400_000), step: 'minute' })
  }
}
