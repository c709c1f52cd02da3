/** Hours of each day in which no request is expected. */
export interface QuietHours {
  /** Where they begin and end, in minutes since midnight. They may include midnight. */
  readonly from: number
  readonly to: number
  /** Formats a moment as its time of day. */
  readonly clock: Pick<Intl.DateTimeFormat, 'format'>
}

const form = /^(\d{2}):(\d{2})-(\d{2}):(\d{2}) (\S+)$/
const example = '22:00-07:00 Europe/Berlin'
const minuteMs = 60_000
const dayMinutes = 24 * 60
const dayMs = dayMinutes * minuteMs
/** Time zones change their offset only at such marks of UTC. */
const markMs = 15 * minuteMs

/** Returns the end of a sentence whose subject is the value, or undefined if it can be read. */
export function quietHoursProblem(value: unknown): string | undefined {
  const match = typeof value === 'string' ? form.exec(value) : null
  if (match === null)
    return `must be two times of day and a time zone, such as '${example}'; it is ${JSON.stringify(value)}`
  const [, fromHour, fromMinute, toHour, toMinute, zone = ''] = match
  if (Number(fromHour) > 23 || Number(toHour) > 23 || Number(fromMinute) > 59 || Number(toMinute) > 59)
    return `must have times from 00:00 to 23:59; it is '${match[0]}'`
  if (fromHour === toHour && fromMinute === toMinute)
    return `must not begin and end at the same time: it would be the whole day; it is '${match[0]}'`
  return clockOf(zone) === undefined
    ? `must end with a time zone such as UTC or Europe/Berlin; there is none named '${zone}'`
    : undefined
}

/** Reads hours such as `22:00-07:00 Europe/Berlin`. @throws {TypeError} if `quietHoursProblem` names a problem */
export function readQuietHours(text: string): QuietHours {
  const [, fromHour, fromMinute, toHour, toMinute, zone = ''] = form.exec(text) ?? []
  const clock = clockOf(zone)
  if (clock === undefined) throw new TypeError(`readQuietHours: "${text}" ${quietHoursProblem(text) ?? ''}`)
  return {
    from: Number(fromHour) * 60 + Number(fromMinute),
    to: Number(toHour) * 60 + Number(toMinute),
    clock
  }
}

/** How much of a span of time is outside the quiet hours, in milliseconds. @param from since the epoch */
export function activeMs(hours: QuietHours, from: number, until: number): number {
  let sum = 0
  let at = from
  // A day from one time of day to the same one has no change of the offset.
  let time = hours.clock.format(at)
  while (at + dayMs <= until) {
    const next = hours.clock.format(at + dayMs)
    sum += next === time ? dayMs - quietMs(hours) : activeInParts(hours, at, at + dayMs)
    time = next
    at += dayMs
  }
  return sum + activeInParts(hours, at, until)
}

/** How much of each day is quiet, in milliseconds. */
function quietMs({ from, to }: QuietHours): number {
  return ((to - from + dayMinutes) % dayMinutes) * minuteMs
}

function activeInParts(hours: QuietHours, from: number, until: number): number {
  let sum = 0
  for (let at = from; at < until; ) {
    const next = Math.min(until, (Math.floor(at / markMs) + 1) * markMs)
    sum += next - at - quietPart(hours, at, next - at)
    at = next
  }
  return sum
}

/** How much of a part of the day without a change of the offset is quiet, in milliseconds. */
function quietPart({ from, to, clock }: QuietHours, at: number, ms: number): number {
  const [hour, minute] = clock.format(at).split(':').map(Number)
  const begin = (hour ?? 0) * 60 + (minute ?? 0) + (at % minuteMs) / minuteMs
  const end = begin + ms / minuteMs
  const spans =
    from < to
      ? [[from, to]]
      : [
          [from - dayMinutes, to],
          [from, to + dayMinutes]
        ]
  return spans.reduce(
    (sum, [first = 0, last = 0]) => sum + Math.max(0, Math.min(end, last) - Math.max(begin, first)) * minuteMs,
    0
  )
}

function clockOf(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  } catch {
    return undefined
  }
}
