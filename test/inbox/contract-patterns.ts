import fc from 'fast-check'
import type { Test } from 'tap'

import { matches } from '../../src/model/pattern.ts'
import { arrival } from './arrivals.ts'
import type { Subject } from './contract.ts'

const unit = fc.constantFrom('a', 'A', 'é', 'É', 'ß', '😀', '日', '%', '_', '\\', '.', '/', ':', '?', '[')
const stem = fc.string({ unit, minLength: 1, maxLength: 4 })
const separator = fc.constantFrom('.', '/', ':')

/** Types that are at, below and beside a few prefixes. */
const types = fc
  .tuple(stem, separator, stem)
  .chain(([one, mark, two]) =>
    fc.constant([
      `${one}${mark}${two}`,
      `${one}${mark}`,
      one,
      `${one}${mark}${two}`.toUpperCase(),
      `${two}${mark}${one}`
    ])
  )

/** Risk: a replay by type whose events differ from those that a handler of the same pattern is called for. */
export async function patternsContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('a filter by type finds exactly the events that a handler of this pattern is called for', async (t) => {
    const { inbox } = await open(t)
    const fixed = ['order', 'order.', 'order.a', 'ORDER.a', 'orders.a', 'order/a', 'order:a', 'ordeX.a', '😀.', '😀.a']
    const stored = [...new Set([...fixed, ...fc.sample(types, { numRuns: 25, seed: 15 }).flat()])]
    await inbox.record(stored.map((type, index) => arrival(String(index), [], { type })))
    const found = async (type: string): Promise<readonly string[]> =>
      (await inbox.events({ type, limit: 1_000, oldestFirst: true })).events.map((event) => event.type)
    t.same(await found('order.*'), ['order.a'])
    t.same(await found('😀.*'), ['😀.a'])
    const start = fc.constantFrom(...stored)
    const pattern = fc.oneof(
      start,
      fc.constantFrom('*', 'order*', 'ord%.*', 'orde_.*', 'ordeX/*'),
      fc.tuple(start, separator).map(([type, mark]) => `${type}${mark}*`),
      fc.tuple(start, separator).map(([type, mark]) => `${type.split(mark)[0]}${mark}*`)
    )
    await fc.assert(
      fc.asyncProperty(pattern, async (each) => {
        t.strictSame(
          await found(each),
          stored.filter((type) => matches(each, type)),
          each
        )
      }),
      { numRuns: 60 }
    )
  })
}
