import type { EventSummary, Inbox } from '../index.ts'
import { delay } from '../programs.ts'
import type { Wanted } from './event-query.ts'

/** How often the inbox is asked for new events, in milliseconds. */
const pollMs = 1_000
const pageSize = 200

/**
 * How long a transaction that has its place in the order of arrival may take to be committed, in milliseconds. An
 * engine that several servers use commits in another order than it gives places: an event can become visible before
 * one that has an earlier place. So events of this time are read again.
 */
const commitMs = 5_000

/** New events, and the position up to which all events were given: a later tail continues there, without a gap. */
export interface Arrived {
  readonly events: readonly EventSummary[]
  readonly position: number
}

/**
 * Follows the events that match a filter, in the order of their arrival. Each is given once.
 * @param from the position of a tail before; default: only events from now on
 */
export async function* follow(
  inbox: Inbox,
  filter: Wanted,
  { from, signal }: { readonly from: number | undefined; readonly signal: AbortSignal }
): AsyncGenerator<Arrived> {
  const windowMs = inbox.servers === undefined ? 0 : commitMs
  const newest = await inbox.position()
  // The tail before may have followed an inbox that was restored from a backup since, or was in memory.
  let position = Math.min(from ?? newest, newest)
  /** Positions that may become safe. */
  const heads: { readonly at: number; readonly position: number }[] = []
  let given = new Set<string>()
  const hasEnded = (): boolean => signal.aborted
  while (!hasEnded()) {
    const head = await inbox.position()
    const found = new Set<string>()
    let after: number | undefined = position
    do {
      const page = await inbox.events({ ...filter, oldestFirst: true, after, limit: pageSize })
      const fresh = page.events.filter((event) => !given.has(nameOf(event)))
      for (const event of page.events) found.add(nameOf(event))
      yield { events: fresh, position }
      after = page.next
    } while (after !== undefined && !hasEnded())
    given = found
    const now = performance.now()
    heads.push({ at: now, position: head })
    const young = heads.findIndex(({ at }) => now - at < windowMs)
    for (const safe of heads.splice(0, young === -1 ? heads.length : young))
      position = Math.max(position, safe.position)
    await delay(pollMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

function nameOf({ realm, id }: EventSummary): string {
  return JSON.stringify([realm, id])
}
