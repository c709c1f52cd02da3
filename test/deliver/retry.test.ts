import fc from 'fast-check'
import t from 'tap'

import { nextAttemptAt, retryDefaults, retryRule, type RetryRule } from '../../src/deliver/retry.ts'
import { PermanentError, RetryLater } from '../../src/model/errors.ts'

const now = Date.UTC(2026, 0, 1)
const error = new Error('no')
const rules = fc.record<RetryRule>({
  attempts: fc.integer({ min: 1, max: 1_000 }),
  baseMs: fc.double({ min: 1, max: 1e9, noNaN: true }),
  factor: fc.double({ min: 1, max: 100, noNaN: true }),
  capMs: fc.double({ min: 1, max: 1e15, noNaN: true })
})
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

t.test('by default ten attempts take 21 hours on average', async (t) => {
  let waitedMs = 0
  for (let attempt = 1; attempt < 10; attempt += 1) {
    waitedMs += nextAttemptAt(attempt, error, retryDefaults, now, 0.5)!.getTime() - now
  }
  t.equal(Math.round(waitedMs / 3_600_000), 21)
  t.equal(nextAttemptAt(10, error, retryDefaults, now, 0.5), undefined)
})

t.test('the delay grows by the factor up to the cap, with full jitter', async (t) => {
  const rule = { attempts: 9, baseMs: 100, factor: 2, capMs: 500 }
  const waits = [1, 2, 3, 4, 8].map((attempt) => nextAttemptAt(attempt, error, rule, now, 0.999_999)!.getTime() - now)
  t.strictSame(waits, [100, 200, 400, 500, 500])
  t.equal(nextAttemptAt(3, error, rule, now, 0)?.getTime(), now)
})

t.test('with any options the attempts end, and no delay is longer than the cap', async (t) => {
  fc.assert(
    fc.property(rules, fc.integer({ min: 1, max: 2_000 }), chance, (rule, attempt, random) => {
      const next = nextAttemptAt(attempt, error, rule, now, random)
      if (attempt >= rule.attempts) return next === undefined
      const waitMs = next!.getTime() - now
      return waitMs >= 0 && waitMs <= Math.ceil(Math.min(rule.capMs, rule.baseMs * rule.factor ** (attempt - 1)))
    })
  )
  t.end()
})

t.test('a PermanentError is never retried, a RetryLater at its own time', async (t) => {
  t.equal(nextAttemptAt(1, new PermanentError('never'), retryDefaults, now, 0), undefined)
  const at = (after: number | Date, attempt = 1) =>
    nextAttemptAt(attempt, new RetryLater({ after }), retryDefaults, now, 0.5)?.getTime()
  t.equal(at(90_000), now + 90_000)
  t.equal(at(new Date(now + 5)), now + 5)
  t.equal(at(new Date(now - 5)), now, 'a time in the past means now')
  t.equal(at(90_000, 10), undefined, 'it counts as an attempt')
  t.equal(at(1e300), 8.64e15, 'still a valid Date')
  const broken = Object.assign(new RetryLater({ after: 1 }), { after: 'tomorrow' })
  t.equal(
    nextAttemptAt(1, broken, retryDefaults, now, 0.5)?.getTime(),
    now + 2_500,
    'an invalid time means the usual backoff'
  )
})

t.test('each option of a handler overrides the option of the plugin', async (t) => {
  t.strictSame(retryRule({ attempts: 3 }, { attempts: 5, cap: '7ms' }), {
    attempts: 3,
    baseMs: 5_000,
    factor: 3.7,
    capMs: 7
  })
  t.strictSame(retryRule(undefined, undefined), retryDefaults)
})
