import fc from 'fast-check'
import t from 'tap'

import { shareSlots, type Lane } from '../../src/deliver/lanes.ts'
import { retryDefaults } from '../../src/deliver/retry.ts'
import { Registry } from '../../src/handlers/registry.ts'

/** Lanes with no running attempts. The test starts only as many as `shareSlots` allows, and ends any of them. */
function lanesOf(concurrencies: readonly number[]): Lane[] {
  const registry = new Registry()
  concurrencies.forEach((concurrency, index) => {
    registry.on('*', { name: `h${index}`, concurrency }, () => undefined)
  })
  return registry.all.map((handler) => ({ handler, rule: retryDefaults, running: 0, mayBeDue: false }))
}

t.test('in any sequence of events the limits are kept, and an idle handler gets a slot', async (t) => {
  const step = fc.array(fc.record({ due: fc.boolean(), ends: fc.nat({ max: 5 }), begins: fc.nat({ max: 20 }) }), {
    minLength: 8,
    maxLength: 8
  })
  const courses = fc.record({
    concurrencies: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }),
    concurrency: fc.integer({ min: 1, max: 40 }),
    steps: fc.array(step, { maxLength: 20 })
  })
  fc.assert(
    fc.property(courses, ({ concurrencies, concurrency, steps }) => {
      const lanes = lanesOf(concurrencies)
      for (const changes of steps) {
        lanes.forEach((lane, index) => {
          lane.mayBeDue = changes[index]!.due
          lane.running = Math.max(0, lane.running - changes[index]!.ends)
        })
        const wants = shareSlots(lanes, concurrency)
        if (concurrency >= lanes.length) {
          const served = new Set(wants.map(({ lane }) => lane))
          if (lanes.some((lane) => lane.mayBeDue && lane.running === 0 && !served.has(lane))) return false
        }
        for (const { lane, limit } of wants) {
          if (limit < 1 || !lane.mayBeDue) return false
          lane.running += Math.min(limit, changes[lanes.indexOf(lane)]!.begins)
          if (lane.running > lane.handler.concurrency) return false
        }
        if (wants.reduce((sum, { limit }) => sum + limit, 0) > concurrency) return false
        if (lanes.reduce((sum, { running }) => sum + running, 0) > concurrency) return false
      }
      return true
    })
  )
  t.end()
})

t.test('free slots are shared, and a single handler can get nearly all of them', async (t) => {
  const lanes = lanesOf([50, 50, 50])
  const limits = (): number[] => shareSlots(lanes, 12).map(({ limit }) => limit)
  for (const lane of lanes) lane.mayBeDue = true
  t.strictSame(limits(), [4, 4, 4])
  lanes[1]!.mayBeDue = lanes[2]!.mayBeDue = false
  t.strictSame(limits(), [10], 'one slot is kept for each of the other two')
})
