import t, { type Test } from 'tap'

import { repeat } from '../../src/manage/repeat.ts'
import { longestTimerMs } from '../../src/model/option-rules.ts'

// Risk: calls to the provider without a pause, because the pause is too long for a timer or was requested by the
// provider.

interface Driven {
  /** The delays of the timers that were started, oldest first. */
  readonly delays: number[]
  readonly runs: () => number
  readonly pauses: number[]
  /** Fires the pending timer. */
  fire(): Promise<void>
}

async function drive(
  t: Test,
  everyMs: number,
  { outcome = () => undefined, random = () => 0 }: { outcome?: () => Error | undefined; random?: () => number } = {}
): Promise<Driven> {
  const delays: number[] = []
  const pauses: number[] = []
  let runs = 0
  let due: () => void = () => undefined
  let ended = Promise.withResolvers<undefined>()
  const repeated = repeat(
    async () => {
      runs += 1
      const error = outcome()
      if (error !== undefined) throw error
    },
    {
      everyMs,
      random,
      ending: new AbortController(),
      failed: (_error, nextMs) => pauses.push(nextMs),
      startTimer: (run, ms) => {
        delays.push(ms)
        due = run
        ended.resolve(undefined)
        return setTimeout(() => undefined, 0)
      }
    }
  )
  t.teardown(() => repeated.end())
  await ended.promise
  return {
    delays,
    pauses,
    runs: () => runs,
    fire() {
      ended = Promise.withResolvers()
      due()
      return ended.promise
    }
  }
}

t.test('a pause of 30 days is kept: several timers, each short enough, and no run in between', async (t) => {
  const everyMs = 30 * 86_400_000
  const driven = await drive(t, everyMs)
  await driven.fire()
  t.equal(driven.runs(), 1)
  t.equal(
    driven.delays.reduce((sum, ms) => sum + ms),
    everyMs
  )
  t.ok(driven.delays.every((ms) => ms <= longestTimerMs))
  await driven.fire()
  t.equal(driven.runs(), 2)
})

t.test('Retry-After is honoured up to a day', async (t) => {
  for (const [retryAfterMs, leastMs] of [
    [3_600_000, 3_600_000],
    [Infinity, 86_400_000],
    [undefined, 1]
  ] as const) {
    const driven = await drive(t, 60_000, {
      outcome: () => Object.assign(new Error('too many requests'), { retryAfterMs })
    })
    t.same(driven.delays, driven.pauses)
    t.ok(
      driven.delays.every((ms) => ms >= leastMs && ms <= leastMs + 60_000),
      String(driven.delays)
    )
  }
})

t.test('replicas that start together do not call together, and none waits longer than configured', async (t) => {
  const [one, other] = [await drive(t, 60_000, { random: () => 0 }), await drive(t, 60_000, { random: () => 0.9 })]
  t.same([one.delays, other.delays], [[60_000], [33_000]])
  await other.fire()
  t.same(other.delays, [33_000, 54_600])
})
