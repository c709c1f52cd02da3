import { errorShape } from '../model/error-shape.ts'
import type { EventKey } from '../model/event.ts'
import type { ReplayFilter } from '../model/job.ts'
import { checkFailuresRequest } from './check.ts'
import type { FailedDelivery, Inbox } from './inbox.ts'

export interface FailuresRequest {
  /** Only deliveries of this handler. */
  readonly handler?: string | undefined
  /** Failed at or after. */
  readonly since?: Date | undefined
  /** The most groups, from 1 to 1,000. Default 100. */
  readonly limit?: number | undefined
}

/** Deliveries of one handler that failed in the same way. */
export interface FailureGroup {
  readonly handler: string
  /** Their last error, without ids, numbers, addresses and quoted texts. */
  readonly error: string
  /** How many of them are dead letters. */
  readonly dead: number
  /** How many of them wait for a retry. */
  readonly retrying: number
  /** Of how many events: those of `dead` and `retrying`. */
  readonly events: number
  /** When the first of them failed. */
  readonly oldest: Date
  /** When the last of them failed. */
  readonly newest: Date
  /** The event of the last of them. */
  readonly example: EventKey
  /** Selects the group's dead letters to replay them; if it has none, those that wait for a retry. */
  readonly replay: ReplayFilter
  /** How many other failures `replay` selects too, because they are of the same handler, state and time. */
  readonly alsoReplays: number
}

/** The failed deliveries, by handler and error. */
export interface Failures {
  /** The largest first. */
  readonly failures: readonly FailureGroup[]
  /** How many groups there are besides. */
  readonly more: number
  /** True if there are more failures than were looked at: those of the newest 5,000 events that have one. */
  readonly isPartial: boolean
}

/** The most failed deliveries that are looked at. */
const mostRead = 5_000

/**
 * Groups the failed deliveries. See `Riverhook.failures`.
 * @param maskError returns an error without personal data. It reads an event, so it is called once for each group
 */
export async function findFailures(
  inbox: Inbox,
  request: FailuresRequest = {},
  maskError: (failure: FailedDelivery) => Promise<string> = ({ error }) => Promise.resolve(error)
): Promise<Failures> {
  const { handler, since, limit = 100 } = checkFailuresRequest(request)
  const read = await inbox.failed({ limit: mostRead + 1 })
  const found = read
    .slice(0, mostRead)
    .filter((one) => one.handler === (handler ?? one.handler) && one.failedAt >= (since ?? one.failedAt))
  const groups = [...Map.groupBy(found, (one) => JSON.stringify([one.handler, errorShape(one.error)])).values()]
    .map((members) => describeGroup(members, found))
    .sort((one, other) => other.events - one.events || other.newest.getTime() - one.newest.getTime())
  const failures: FailureGroup[] = []
  for (const { last, ...group } of groups.slice(0, limit))
    failures.push({ ...group, error: errorShape(await maskError(last)) })
  return {
    failures,
    more: Math.max(0, groups.length - limit),
    isPartial: read.length > mostRead
  }
}

/** @returns the group without its error, and its last failure */
function describeGroup(
  members: readonly FailedDelivery[],
  found: readonly FailedDelivery[]
): Omit<FailureGroup, 'error'> & { readonly last: FailedDelivery } {
  const [first, ...rest] = members
  if (first === undefined) throw new Error('A group has a member')
  const newest = rest.reduce((last, one) => (one.failedAt > last.failedAt ? one : last), first)
  const oldest = rest.reduce((last, one) => (one.failedAt < last.failedAt ? one : last), first)
  const dead = members.filter(({ state }) => state === 'dead').length
  const { replay, selected } = selectGroup(members, dead > 0 ? 'dead' : first.state)
  return {
    handler: first.handler,
    dead,
    retrying: members.length - dead,
    events: members.length,
    oldest: oldest.failedAt,
    newest: newest.failedAt,
    example: newest.event,
    replay,
    alsoReplays: found.filter((one) => selects(replay, one)).length - selected,
    last: newest
  }
}

/** The filter for the members in one state. */
function selectGroup(
  members: readonly FailedDelivery[],
  state: FailedDelivery['state']
): { readonly replay: ReplayFilter; readonly selected: number } {
  const selected = members.filter((one) => one.state === state)
  const [only] = selected
  if (selected.length === 1 && only !== undefined) {
    const { handler, event } = only
    return { replay: { ...event, handler }, selected: 1 }
  }
  const times = selected.map(({ receivedAt }) => receivedAt.getTime())
  const since = new Date(times.reduce((one, other) => Math.min(one, other)))
  const until = new Date(times.reduce((one, other) => Math.max(one, other)) + 1)
  return { replay: { handler: only?.handler, state, since, until }, selected: selected.length }
}

function selects({ id, realm, handler, state, since, until }: ReplayFilter, one: FailedDelivery): boolean {
  if (one.handler !== handler) return false
  if (id !== undefined) return one.event.id === id && one.event.realm === realm
  return (
    one.state === state &&
    one.receivedAt >= (since ?? one.receivedAt) &&
    !(until !== undefined && one.receivedAt >= until)
  )
}
