import fc from 'fast-check'
import t from 'tap'

import { activeMs, quietHoursProblem, readQuietHours } from '../../src/model/quiet-hours.ts'

// Risk: an alarm every morning, or none when the requests really ended.

const hour = 3_600_000

t.test('only the time outside the quiet hours counts, in their time zone', (t) => {
  const span = (hours: string, from: string, until: string): number =>
    activeMs(readQuietHours(hours), Date.parse(from), Date.parse(until)) / hour
  const night = '22:00-07:00 Europe/Berlin'
  // In winter, Berlin is one hour ahead of UTC.
  t.equal(span(night, '2026-01-10T20:00:00Z', '2026-01-11T08:00:00Z'), 3)
  t.equal(span(night, '2026-01-10T22:30:00Z', '2026-01-11T05:00:00Z'), 0)
  t.equal(span(night, '2026-01-10T00:00:00Z', '2026-01-17T00:00:00Z'), 7 * 15)
  // In the night of 29 March, the clocks go from 2 to 3 o'clock: the quiet hours are one hour shorter.
  t.equal(span(night, '2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z'), 16)
  t.equal(span(night, '2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z'), 14, 'and one hour longer in October')
  t.equal(span('12:00-13:30 UTC', '2026-01-10T11:50:00Z', '2026-01-10T13:40:00Z'), 1 / 3)
  t.equal(span('00:00-23:59 Asia/Kathmandu', '2026-01-10T00:00:00Z', '2026-01-20T00:00:00Z'), 10 / 60)
  t.equal(span(night, '2026-01-10T12:00:00Z', '2026-01-10T12:00:00Z'), 0)
  t.end()
})

t.test('a long span is the sum of its hours, also where the offset changes', async () => {
  const start = fc.integer({ min: Date.parse('2011-01-01'), max: Date.parse('2027-01-01') })
  const zone = fc.constantFrom('Europe/Berlin', 'Africa/Casablanca', 'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Gaza')
  const times = fc.constantFrom('22:00-07:00', '01:30-02:30', '00:00-23:59', '12:00-13:30')
  fc.assert(
    fc.property(start, fc.integer({ min: 0, max: 60 * 24 * hour }), zone, times, (from, ms, inZone, between) => {
      const hours = readQuietHours(`${between} ${inZone}`)
      let sum = 0
      for (let at = from; at < from + ms; at += hour) sum += activeMs(hours, at, Math.min(at + hour, from + ms))
      return Math.abs(activeMs(hours, from, from + ms) - sum) < 1
    }),
    { numRuns: 30 }
  )
})

// Risk: an endpoint without requests for years, for which each round of the alarms stops the server.
t.test('the time zone is asked once for each day of a long span', async (t) => {
  const hours = readQuietHours('22:00-07:00 Europe/Berlin')
  let asked = 0
  const format = (at: number): string => {
    asked += 1
    return hours.clock.format(at)
  }
  activeMs({ ...hours, clock: { format } }, Date.parse('2025-01-10T20:00:00Z'), Date.parse('2026-01-10T20:00:00Z'))
  t.ok(asked >= 365 && asked < 1_000, `${asked} times`)
})

t.test('wrong hours are refused, with the reason', (t) => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [
      '22:00-07:00',
      /must be two times of day and a time zone, such as '22:00-07:00 Europe\/Berlin'; it is "22:00-07:00"/
    ],
    ['22-7 UTC', /must be two times of day/],
    [22, /must be two times of day/],
    ['24:00-07:00 UTC', /from 00:00 to 23:59/],
    ['22:60-07:00 UTC', /from 00:00 to 23:59/],
    ['22:00-22:00 UTC', /must not begin and end at the same time/],
    ['22:00-07:00 Europe/Berlinn', /there is none named 'Europe\/Berlinn'/]
  ]
  for (const [value, problem] of cases) t.match(quietHoursProblem(value), problem)
  t.equal(quietHoursProblem('22:00-07:00 Europe/Berlin'), undefined)
  t.throws(() => readQuietHours('22-7'), TypeError)
  t.end()
})
