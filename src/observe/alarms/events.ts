import type { EventSummary, InboxLevels } from '../../inbox/inbox.ts'
import type { RetentionSpans } from '../../model/retention-spans.ts'
import type { Finding } from './book.ts'
import { stepOf } from './deliveries.ts'
import type { AlarmSubject } from './subject.ts'
import { counted, dayMs, hourMs, minuteMs } from './words.ts'

type Reads = Pick<AlarmSubject, 'inbox'>

/** Checks for quarantined requests of the last day that are still there. */
export async function findQuarantine(
  { inbox }: Reads,
  { quarantined }: Pick<InboxLevels, 'quarantined'>,
  now: number
): Promise<readonly Finding[]> {
  if (quarantined === 0) return []
  const rows = await inbox.tally({
    since: new Date(now - dayMs),
    until: new Date(now + minuteMs),
    step: 'hour',
    kind: 'event',
    name: ''
  })
  const fresh = rows.reduce((sum, { outcome, count }) => (outcome === 'quarantined' ? sum + count : sum), 0)
  const value = Math.min(fresh, quarantined)
  const step = stepOf(value)
  const text = `${counted(value, 'request')} in 24 h that cannot be read: riverhook events list --state quarantined`
  return step === 0 ? [] : [{ subject: '', level: 'warn', text, value, threshold: 1, step }]
}

/** Checks for event ids that came again with another body. */
export async function findConflicts({ inbox }: Reads, now: number): Promise<readonly Finding[]> {
  const rows = await inbox.tally({
    since: new Date(now - hourMs),
    until: new Date(now + minuteMs),
    step: 'hour',
    kind: 'event'
  })
  const value = rows.reduce((sum, { outcome, count }) => (outcome === 'conflict' ? sum + count : sum), 0)
  const text = `${counted(value, 'request')} with a known event id and another body: the first body is kept`
  return value === 0 ? [] : [{ subject: '', level: 'warn', text, value, threshold: 1 }]
}

/** Checks for kinds of mismatches that are not acknowledged. */
export async function findDrift({ inbox }: Reads): Promise<readonly Finding[]> {
  const value = (await inbox.drifts()).filter(({ acknowledgedAt }) => acknowledgedAt === undefined).length
  const step = stepOf(value)
  const text = `${counted(value, 'new kind')} of payloads that do not match their schema: riverhook drift`
  return step === 0 ? [] : [{ subject: '', level: 'warn', text, value, threshold: 1, step }]
}

/** The most events that are looked at: the oldest may all be dead letters, which are kept longer. */
const mostOld = 100

/** Checks for events that should have been purged. */
export async function findUnpurged(
  { inbox, retention }: Reads & Pick<AlarmSubject, 'retention'>,
  now: number
): Promise<readonly Finding[]> {
  const until = new Date(Math.max(0, now - retention.doneMs - dayMs))
  const { events } = await inbox.events({ until, oldestFirst: true, limit: mostOld })
  const text = 'events are still stored a day after the end of their retention: the log says why they are not purged'
  return events.some((event) => isOverdue(event, retention, now - dayMs)) ? [{ subject: '', level: 'warn', text }] : []
}

/**
 * True if an event should have been purged by a time. False for one with a parked delivery: when it was due is unknown.
 */
function isOverdue(
  { state, receivedAt, deliveries }: EventSummary,
  { doneMs, deadMs, quarantinedMs }: RetentionSpans,
  by: number
): boolean {
  if (state === 'quarantined') return receivedAt.getTime() < by - quarantinedMs
  if (deliveries.some((delivery) => delivery.state !== 'done' && delivery.state !== 'dead')) return false
  const dead = deliveries.filter((delivery) => delivery.state === 'dead')
  if (dead.length === 0) return receivedAt.getTime() < by - doneMs
  return Math.max(...[receivedAt, ...dead.map(({ settledAt }) => settledAt ?? receivedAt)].map(Number)) < by - deadMs
}
