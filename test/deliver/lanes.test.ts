import fc from 'fast-check'
import t from 'tap'

import { takenSlots, type Lane } from '../../src/deliver/lane.ts'
import { Pace } from '../../src/deliver/pace.ts'
import { shareSlots } from '../../src/deliver/share-claims.ts'
import { retryDefaults } from '../../src/deliver/retry.ts'
import { Registry } from '../../src/handlers/registry.ts'

const isWanted = ({ mayBeDue }: Lane): number => (mayBeDue ? Infinity : 0)

/** Lanes with no running attempts. The test starts only as many as `shareSlots` allows, and ends any of them. */
function lanesOf(concurrencies: readonly number[]): Lane[] {
  const registry = new Registry()
  concurrencies.forEach((concurrency, index) => {
    registry.on('*', { name: `h${index}`, concurrency }, () => undefined)
  })
  return registry.all.map((handler) => ({
    handler,
    rule: retryDefaults,
    running: 0,
    reserved: 0,
    prefetched: 0,
    pace: new Pace(),
    mayBeDue: false
  }))
}

t.test('in any sequence of events the limits are kept, and an idle handler gets a slot', async (t) => {
  const change = fc.record({
    due: fc.boolean(),
    ends: fc.nat({ max: 5 }),
    begins: fc.nat({ max: 20 }),
    reserves: fc.boolean()
  })
  const step = fc.array(change, { minLength: 8, maxLength: 8 })
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
          lane.reserved = 0
        })
        // Claims beside this one, which have reserved their slots.
        const others = shareSlots(lanes, concurrency, (lane) => (changes[lanes.indexOf(lane)]!.reserves ? 3 : 0))
        for (const { lane, limit } of others) lane.reserved = limit
        const wants = shareSlots(lanes, concurrency, isWanted)
        if (concurrency >= lanes.length) {
          const served = new Set(wants.map(({ lane }) => lane))
          if (lanes.some((lane) => lane.mayBeDue && takenSlots(lane) === 0 && !served.has(lane))) return false
        }
        for (const { lane, limit } of wants) {
          if (limit < 1 || !lane.mayBeDue) return false
          lane.running += Math.min(limit, changes[lanes.indexOf(lane)]!.begins)
          if (takenSlots(lane) > lane.handler.concurrency) return false
        }
        if (wants.reduce((sum, { limit }) => sum + limit, 0) > concurrency) return false
        if (lanes.reduce((sum, lane) => sum + takenSlots(lane), 0) > concurrency) return false
      }
      return true
    })
  )
  t.end()
})

t.test('free slots are shared, and a single handler can get nearly all of them', async (t) => {
  const lanes = lanesOf([50, 50, 50])
  const limits = (): number[] => shareSlots(lanes, 12, isWanted).map(({ limit }) => limit)
  for (const lane of lanes) lane.mayBeDue = true
  t.strictSame(limits(), [4, 4, 4])
  lanes[1]!.mayBeDue = lanes[2]!.mayBeDue = false
  t.strictSame(limits(), [10], 'one slot is kept for each of the other two')
  lanes[1]!.reserved = 3
  t.strictSame(limits(), [8], 'the slots of a claim beside this one are taken')
})
