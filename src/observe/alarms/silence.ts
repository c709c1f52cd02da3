import { loggedError } from '../../model/error-text.ts'
import type { Log } from '../../model/log.ts'
import type { TallyRow } from '../../model/tally.ts'
import type { Finding } from './book.ts'
import type { AlarmEndpoint, AlarmSubject } from './subject.ts'
import { counted, dayMs, hourMs, minuteMs, span } from './words.ts'

/** The answer of the provider about the silence of an endpoint. */
export interface SilenceCheck {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** The last authentic request before the silence, in milliseconds since the epoch. */
  readonly last: number
  /** How many events did not arrive. Undefined: the list could not be read. */
  readonly missing: number | undefined
}

/** By the path of the endpoint. */
export type SilenceChecks = Readonly<Record<string, SilenceCheck>>

/** How long an endpoint must be known before its silence says something. */
const leastKnownMs = 3 * dayMs
const leastRequests = 100
/** The time before the silence from which is learnt how long pauses usually are. */
const learntMs = 7 * dayMs
const leastSilenceMs = 6 * hourMs
/** A silence as many times as long as the longest pause is unusual. */
const pauseFactor = 3
/** How long the counts by hour are kept. */
const countedMs = 90 * dayMs
/** How often the provider is asked during a silence. */
const askEveryMs = hourMs
/** The newest events that the provider lists may be on their way. */
const onTheWayMs = 10 * minuteMs

export interface SilenceInput extends Pick<AlarmSubject, 'inbox' | 'endpoints' | 'silenceMs'> {
  readonly checks: SilenceChecks
  /** Since when servers have been running without a longer break, in milliseconds since the epoch. */
  readonly runningSince: number
  readonly now: number
  readonly log: Pick<Log, 'debug'>
}

/**
 * Checks for endpoints that get no authentic request any more. If the provider can be asked, only missing events count:
 * a quiet shop is no fault.
 */
export async function findSilence(
  input: SilenceInput
): Promise<{ readonly findings: readonly Finding[]; readonly checks: SilenceChecks }> {
  const findings: Finding[] = []
  const checks: Record<string, SilenceCheck> = {}
  for (const endpoint of input.endpoints) {
    const silence = await findOne(endpoint, input)
    if (silence === undefined) continue
    const { lastMs, thresholdMs } = silence
    const quietMs = input.now - lastMs
    const check = await ask(endpoint, input, lastMs)
    if (check !== undefined) checks[endpoint.path] = check
    if (check?.missing === 0) continue
    findings.push({
      subject: endpoint.path,
      level: 'error',
      text: `no authentic request for ${span(quietMs)}${describe(check)}`,
      value: Math.round(quietMs / 1_000),
      threshold: Math.round(thresholdMs / 1_000)
    })
  }
  return { findings, checks }
}

function describe(check: SilenceCheck | undefined): string {
  if (check === undefined) return ''
  return check.missing === undefined
    ? "; the provider's list of events could not be read"
    : `, and ${counted(check.missing, 'event')} of the provider's list did not arrive: riverhook backfill`
}

/** @returns the last authentic request, and how long a silence may last; undefined while there is none */
async function findOne(
  { path }: AlarmEndpoint,
  { inbox, silenceMs, runningSince, now }: SilenceInput
): Promise<{ readonly lastMs: number; readonly thresholdMs: number } | undefined> {
  const list = async (fromMs: number, untilMs: number, step: 'hour' | 'minute'): Promise<readonly TallyRow[]> => {
    const query = { since: new Date(fromMs), until: new Date(untilMs), step, kind: 'request', name: path } as const
    return (await inbox.tally(query)).filter(({ outcome }) => outcome === 'authentic')
  }
  const recent = await list(now - learntMs - dayMs, now + minuteMs, 'hour')
  // A long silence needs what was before it.
  const isRecent = (recent.at(-1)?.at.getTime() ?? 0) > now - dayMs
  const hours = isRecent ? recent : await list(now - countedMs, now + minuteMs, 'hour')
  const lastHour = hours.at(-1)
  const thresholdMs = silenceMs ?? learn(hours, now)
  if (thresholdMs === undefined) return undefined
  const lastHourMs = lastHour?.at.getTime() ?? 0
  if (now - Math.max(lastHourMs, runningSince) <= thresholdMs) return undefined
  // The hour is too long ago: look at its minutes.
  const minutes = lastHour === undefined ? [] : await list(lastHourMs, lastHourMs + hourMs, 'minute')
  const lastMs = Math.max((minutes.at(-1)?.at.getTime() ?? lastHourMs) + minuteMs, runningSince)
  return now - lastMs > thresholdMs ? { lastMs, thresholdMs } : undefined
}

/** Learns how long a silence may last. Undefined if too little is known. @param hours the hours with requests */
function learn(hours: readonly TallyRow[], now: number): number | undefined {
  const [first] = hours
  const last = hours.at(-1)
  if (first === undefined || last === undefined || now - first.at.getTime() < leastKnownMs) return undefined
  const learnt = hours.filter(({ at }) => at.getTime() > last.at.getTime() - learntMs)
  if (learnt.reduce((sum, { count }) => sum + count, 0) < leastRequests) return undefined
  const pauses = learnt.slice(1).map(({ at }, index) => at.getTime() - (learnt[index]?.at.getTime() ?? 0))
  return Math.max(leastSilenceMs, pauseFactor * Math.max(0, ...pauses))
}

/** Asks the provider, at most once an hour. Undefined if it cannot be asked. */
async function ask(
  { path, countMissing }: AlarmEndpoint,
  { checks, now, log }: SilenceInput,
  lastMs: number
): Promise<SilenceCheck | undefined> {
  if (countMissing === undefined) return undefined
  const before = checks[path]
  if (before?.last === lastMs && (now - before.at < askEveryMs || (before.missing ?? 0) > 0)) return before
  try {
    const missing = await countMissing({ since: new Date(lastMs - onTheWayMs), until: new Date(now - onTheWayMs) })
    return { at: now, last: lastMs, missing }
  } catch (error) {
    log.debug({ endpoint: path, err: loggedError(error) }, "the provider's list of events could not be read")
    return { at: now, last: lastMs, missing: undefined }
  }
}
