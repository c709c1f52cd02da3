import { loggedError } from '../../model/error-text.ts'
import type { Log } from '../../model/log.ts'
import { activeMs } from '../../model/quiet-hours.ts'
import type { TallyRow } from '../../model/tally.ts'
import { withLimit } from '../../model/time-limit.ts'
import type { AlarmEntry, Finding } from './book.ts'
import type { AlarmEndpoint, AlarmSubject } from './subject.ts'
import { counted, dayMs, hourMs, minuteMs, span } from './words.ts'

/** The answer of the provider about the silence of an endpoint. */
export interface SilenceCheck {
  /** When it was asked, in milliseconds since the epoch. */
  readonly at: number
  /** The last authentic request before the silence, in milliseconds since the epoch. */
  readonly last: number
  /** How many events did not arrive, by the last answer. Undefined: there was none. */
  readonly missing: number | undefined
  /** Since when the list could not be read. */
  readonly failingSince?: number | undefined
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
/** How often the provider is asked during a silence, and how often if it gives no answer. */
const askEveryMs = hourMs
const askAgainMs = 5 * minuteMs
/** How long the provider may give no answer before a silence is an alarm all the same. */
const patienceMs = 15 * minuteMs
/** How long its answer may take: the other conditions wait for it. */
const longestAnswerMs = 30_000
/** The newest events that the provider lists may be on their way. */
const onTheWayMs = 10 * minuteMs

export interface SilenceInput extends Pick<AlarmSubject, 'inbox' | 'endpoints' | 'silenceMs' | 'quietHours'> {
  /** The alarms as the last round left them. */
  readonly entries: readonly AlarmEntry[]
  readonly checks: SilenceChecks
  /** Since when servers have been running without a longer break, in milliseconds since the epoch. */
  readonly runningSince: number
  readonly now: number
  /** Aborted when this process ends. */
  readonly signal: AbortSignal
  /** Called before the provider is asked: that may take long. */
  readonly keep: () => Promise<boolean>
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
    const { lastMs, quietMs, thresholdMs } = silence
    const check = await ask(endpoint, input, lastMs)
    if (check !== undefined) checks[endpoint.path] = check
    if (check !== undefined && isNoAlarm(check, input.now)) continue
    findings.push({
      subject: endpoint.path,
      level: 'error',
      text: `no authentic request for ${span(quietMs)}${input.quietHours === undefined ? '' : ' outside the quiet hours'}${describe(check)}`,
      value: Math.round(quietMs / 1_000),
      threshold: Math.round(thresholdMs / 1_000)
    })
  }
  return { findings, checks }
}

/** True if nothing is missing, or the provider may still say so. */
function isNoAlarm({ missing = 0, failingSince }: SilenceCheck, now: number): boolean {
  return missing === 0 && (failingSince === undefined || now - failingSince < patienceMs)
}

function describe(check: SilenceCheck | undefined): string {
  if (check === undefined) return ''
  return check.missing === undefined || check.missing === 0
    ? "; the provider's list of events could not be read"
    : `, and ${counted(check.missing, 'event')} of the provider's list did not arrive: riverhook backfill`
}

/** The silence of an endpoint. */
interface Silence {
  /** The last authentic request, or since when there was none. */
  readonly lastMs: number
  readonly quietMs: number
  readonly thresholdMs: number
}

/** @returns undefined while there is no silence that is too long */
async function findOne(
  { path }: AlarmEndpoint,
  { inbox, entries, silenceMs, quietHours, runningSince, now }: SilenceInput
): Promise<Silence | undefined> {
  const quietSince = (ms: number): number => (quietHours === undefined ? now - ms : activeMs(quietHours, ms, now))
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
  const raised = entries.find(
    ({ condition, subject, reported }) => condition === 'silence' && subject === path && reported !== undefined
  )
  const lastHourMs = lastHour?.at.getTime() ?? 0
  if (raised === undefined && quietSince(Math.max(lastHourMs, runningSince)) <= thresholdMs) return undefined
  // The hour is too long ago: look at its minutes.
  const minutes = lastHour === undefined ? [] : await list(lastHourMs, lastHourMs + hourMs, 'minute')
  const seenMs = lastHour === undefined ? 0 : (minutes.at(-1)?.at.getTime() ?? lastHourMs) + minuteMs
  if (raised !== undefined && seenMs <= raised.since) {
    // It lasts until a request arrives, also for a new server, which has not seen one yet.
    const lastMs = lastHour === undefined ? raised.since - thresholdMs : seenMs
    return { lastMs, quietMs: Math.max(quietSince(lastMs), thresholdMs), thresholdMs }
  }
  const lastMs = Math.max(seenMs, runningSince)
  const quietMs = quietSince(lastMs)
  return quietMs > thresholdMs ? { lastMs, quietMs, thresholdMs } : undefined
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

/** Asks the provider, at most once an hour unless a backfill has fetched events. Undefined if it cannot be asked. */
async function ask(
  { path, countMissing }: AlarmEndpoint,
  input: SilenceInput,
  last: number
): Promise<SilenceCheck | undefined> {
  if (countMissing === undefined) return undefined
  const { checks, now, keep, log } = input
  const known = checks[path]
  const before = known?.last === last ? known : undefined
  if (before !== undefined && !(await isOld(before, input))) return before
  await keep()
  const span = { since: new Date(last - onTheWayMs), until: new Date(now - onTheWayMs) }
  try {
    return { at: now, last, missing: await limited(input.signal, (signal) => countMissing({ ...span, signal })) }
  } catch (error) {
    log.debug({ endpoint: path, err: loggedError(error) }, "the provider's list of events could not be read")
    return { at: now, last, missing: before?.missing, failingSince: before?.failingSince ?? now }
  }
}

/** True if the provider is to be asked again. */
async function isOld({ at, missing = 0, failingSince }: SilenceCheck, { inbox, now }: SilenceInput): Promise<boolean> {
  if (now - at >= (failingSince === undefined ? askEveryMs : askAgainMs)) return true
  if (missing === 0) return false
  const query = { since: new Date(at), until: new Date(now + minuteMs), step: 'minute', kind: 'event' } as const
  return (await inbox.tally(query)).some(({ outcome }) => outcome === 'backfilled' || outcome === 'quarantined')
}

/** Limits the time of a call, and aborts it when the process ends. */
async function limited<Value>(ending: AbortSignal, call: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const limit = new AbortController()
  const late = new Error(`no answer within ${longestAnswerMs / 1_000} s`)
  const signal = AbortSignal.any([ending, limit.signal])
  try {
    return await withLimit(longestAnswerMs, Promise.race([call(signal), aborted(signal)]), () => late)
  } finally {
    limit.abort(late)
  }
}

/** Rejects when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => undefined)
  const fail = (): void => {
    reject(signal.reason as Error)
  }
  if (signal.aborted) fail()
  else signal.addEventListener('abort', fail, { once: true })
  return promise
}
