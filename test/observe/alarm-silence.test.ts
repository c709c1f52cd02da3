import t from 'tap'

import { readQuietHours } from '../../src/model/quiet-hours.ts'
import { arrival } from '../inbox/arrivals.ts'
import { day, hour, minute, only, open, path } from './alarm-rig.ts'

// Risk: a provider that has stopped sending without an alarm, or an alarm whenever a shop is quiet.

t.test(
  'silence: an endpoint is not judged before it is known, and a longer pause needs a longer silence',
  async (t) => {
    const rig = await open(t)
    const watch = rig.watch({ skipped: only('silence') })
    for (let count = 0; count < 30; count += 1) {
      await rig.count('authentic', 4)
      await rig.pass(hour, [watch], undefined, 5 * minute)
    }
    await rig.pass(20 * hour, [watch], undefined, 5 * minute)
    t.same(rig.take(), [], 'after two days')
    for (let count = 0; count < 30; count += 1) {
      await rig.count('authentic', 4)
      await rig.pass(hour, [watch], undefined, 5 * minute)
    }
    await rig.pass(58 * hour, [watch], undefined, 5 * minute)
    t.same(rig.take(), [], 'it was silent for 21 h before')
    await rig.pass(6 * hour, [watch], undefined, 5 * minute)
    t.same(rig.take(), [`raised silence ${path}`])
    await rig.pass(10 * day, [watch], undefined, 5 * minute)
    t.same([...new Set(rig.take())], [`still silence ${path}`], 'it lasts')
  }
)

t.test('silence: with a given limit, also while there was no request at all', async (t) => {
  const rig = await open(t)
  const watch = rig.watch({ skipped: only('silence') }, { silenceMs: 2 * hour })
  await rig.pass(119 * minute, [watch])
  t.same(rig.take(), [])
  await rig.pass(5 * minute, [watch])
  t.same(rig.take(), [`raised silence ${path}`])
  await watch.end()
  rig.now += day
  await rig.count('authentic')
  rig.now += day
  const next = rig.watch({ skipped: only('silence') }, { silenceMs: 2 * hour })
  await rig.pass(hour, [next])
  t.same(rig.take(), [`resolved silence ${path}`], 'the time without a server is no silence')
})

t.test('silence: the provider is asked first, once in an hour, and a quiet shop is no alarm', async (t) => {
  const rig = await open(t)
  let missing = 0
  let answer = () => missing
  rig.missing = async () => answer()
  const watch = rig.watch({ skipped: only('silence') }, { silenceMs: 2 * hour })
  await rig.count('authentic')
  await rig.pass(5 * hour, [watch])
  t.same(rig.take(), [])
  t.equal(rig.asked, 3)
  missing = 7
  await rig.pass(hour, [watch])
  t.match(rig.reported, [
    { change: 'raised', text: /^no authentic request for 5 h, and 7 events of the provider's list did not/ }
  ])
  t.equal(rig.asked, 4)
  await rig.pass(3 * hour, [watch])
  t.equal(rig.asked, 7, 'they may be fetched in another way')
  await rig.count('authentic')
  await rig.pass(minute, [watch])
  t.same(rig.take(), [`raised silence ${path}`, `resolved silence ${path}`])

  answer = () => {
    throw new Error('401 for key sk_secret')
  }
  await rig.pass(3 * hour, [watch])
  t.match(rig.reported, [
    { change: 'raised', text: /^no authentic request for 2 h; the provider's list of events could not/ }
  ])
})

t.test('silence: after a backfill, the provider is asked again, and nothing is missing any more', async (t) => {
  const rig = await open(t)
  let missing = 7
  rig.missing = async () => missing
  const watch = rig.watch({ skipped: only('silence') }, { silenceMs: 2 * hour })
  await rig.count('authentic')
  await rig.pass(2 * hour + 5 * minute, [watch])
  t.same(rig.take(), [`raised silence ${path}`])
  t.equal(rig.asked, 1)
  missing = 0
  await rig.inbox.record([
    arrival('missed', [], { receipt: { judgedAt: '2026-03-02T08:00:00Z', checks: ['api'], backfilled: true } })
  ])
  await rig.pass(2 * minute, [watch])
  t.same(rig.take(), [`resolved silence ${path}`])
  await rig.pass(55 * minute, [watch])
  t.ok(rig.asked <= 3, 'it is not asked in each round')
  t.same(rig.take(), [])
})

t.test('silence: what a backfill has not fetched stays an alarm; so does an unanswered question', async (t) => {
  const rig = await open(t)
  let answer: () => number = () => 7
  rig.missing = async () => answer()
  const watch = rig.watch({ skipped: only('silence') }, { silenceMs: 2 * hour })
  await rig.count('authentic')
  await rig.pass(2 * hour + 5 * minute, [watch])
  t.same(rig.take(), [`raised silence ${path}`])
  answer = () => {
    throw new Error('500')
  }
  await rig.pass(3 * hour, [watch])
  t.same(rig.take(), [])
  t.match(watch.raised, [{ text: /7 events of the provider's list did not arrive/ }])
  answer = () => 0
  await rig.pass(10 * minute, [watch])
  t.same(rig.take(), [`resolved silence ${path}`])
})

t.test('silence: the provider may fail for some minutes before a quiet shop is an alarm', async (t) => {
  const rig = await open(t)
  let answer: () => number = () => {
    throw new Error('500')
  }
  rig.missing = async () => answer()
  const watch = rig.watch({ skipped: only('silence') }, { silenceMs: 2 * hour })
  await rig.count('authentic')
  await rig.pass(2 * hour + 10 * minute, [watch])
  answer = () => 0
  await rig.pass(hour, [watch])
  t.same(rig.take(), [])
  answer = () => {
    throw new Error('500')
  }
  await rig.pass(2 * hour, [watch])
  t.same(rig.take(), [`raised silence ${path}`])
})

t.test('silence: a new server that has not seen a request does not resolve it', async (t) => {
  const rig = await open(t)
  const limit = { silenceMs: 2 * hour }
  const first = rig.watch({ skipped: only('silence') }, limit)
  await rig.count('authentic')
  await rig.pass(3 * hour, [first])
  t.same(rig.take(), [`raised silence ${path}`])
  await first.end()
  rig.now += hour
  const next = rig.watch({ skipped: only('silence') }, limit)
  await rig.pass(hour, [next])
  t.same(rig.take(), [])
  t.match(next.raised, [{ text: /for 5 h/ }])
  await rig.count('authentic')
  await rig.pass(minute, [next])
  t.same(rig.take(), [`resolved silence ${path}`])
})

t.test('silence: quiet hours do not count', async (t) => {
  const rig = await open(t)
  const quietHours = readQuietHours('22:00-07:00 Europe/Berlin')
  const watch = rig.watch({ skipped: only('silence') }, { silenceMs: 2 * hour, quietHours })
  const at = (text: string): number => Date.parse(text)
  rig.now = at('2026-03-02T20:30:00Z')
  await rig.pass(minute, [watch])
  await rig.count('authentic')
  // In Berlin, it is 21:31. The quiet hours begin at 21:00Z and end at 06:00Z.
  await rig.pass(at('2026-03-03T07:25:00Z') - rig.now, [watch], undefined, 5 * minute)
  t.same(rig.take(), [])
  await rig.pass(20 * minute, [watch])
  t.same(rig.take(), [`raised silence ${path}`])
  t.match(watch.raised, [
    { text: /^no authentic request for 2 h outside the quiet hours$|^no authentic request for 12\d min outside/ }
  ])
})
