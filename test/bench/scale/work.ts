import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'

import type { AcceptedArrival, EventFilter, Inbox } from '../../../src/inbox/inbox.ts'
import { purgeBatch } from '../../../src/inbox/retention.ts'
import { bodies } from '../../inbox/many-bodies.ts'
import { arrivalFor } from '../arrival.ts'

const handler = 'archive'
const source = 'digital-river'
const batch = 64
const sliceMs = 150

/** The search key of one event: a search for it looks at all events, however many there are. */
export const onceKey = 'once'

/** The calls of a receiver to one inbox. */
export class Work {
  readonly #inbox: Inbox

  private constructor(inbox: Inbox) {
    this.#inbox = inbox
  }

  static async open(inbox: Inbox): Promise<Work> {
    await inbox.open()
    await inbox.adopt(['erp', 'mail', handler, 'ledger'].map((name) => ({ name, source, pattern: '*' })))
    await inbox.record([arrival(onceKey)])
    return new Work(inbox)
  }

  close(): Promise<void> {
    return this.#inbox.close()
  }

  /** Records events for a slice of time. @returns events a second */
  record(): Promise<number> {
    return perSecond(async () => {
      await this.#inbox.record(Array.from({ length: batch }, () => arrival()))
      return batch
    })
  }

  /** Claims and settles what `record` has stored. @returns deliveries a second */
  claim(): Promise<number> {
    return perSecond(async () => {
      const { deliveries } = await this.#inbox.claim({
        owner: 'bench',
        leaseMs: 60_000,
        wants: [{ handler, source, limit: batch }],
        limit: batch
      })
      const at = new Date()
      await this.#inbox.settle(
        deliveries.map(({ id, token }) => ({
          id,
          token,
          outcome: { state: 'done' as const },
          startedAt: at,
          endedAt: at
        }))
      )
      return deliveries.length
    })
  }

  /** Lists pages, which have the same number of events in any inbox, for a slice of time. @returns pages a second */
  list(filter: Omit<EventFilter, 'limit'>): Promise<number> {
    return perSecond(async () => {
      await this.#inbox.events({ ...filter, limit: 20 })
      return 1
    })
  }

  /** Records an event every 10 ms, while all done events are purged, for at most ten seconds. */
  async purgeBesideArrivals(): Promise<{ readonly purged: number; readonly longestMs: number }> {
    const endsAt = performance.now() + 10_000
    const isOver = (): boolean => performance.now() >= endsAt
    let purged = 0
    const purge = async (): Promise<void> => {
      let after: number | undefined
      do {
        const result = await this.#inbox.prune({ before: new Date(), limit: purgeBatch, after })
        purged += result.purged
        after = result.next
      } while (after !== undefined && !isOver())
    }
    let longestMs = 0
    const ended = new AbortController()
    const recordAll = async (): Promise<void> => {
      while (!ended.signal.aborted) {
        const startedAt = performance.now()
        await this.#inbox.record([arrival()])
        longestMs = Math.max(longestMs, performance.now() - startedAt)
        await setTimeout(10)
      }
    }
    const recording = recordAll()
    await purge()
    ended.abort()
    await recording
    return { purged, longestMs }
  }
}

/** Repeats work for a slice of time, or until there is none. @param work returns how much it has done */
async function perSecond(work: () => Promise<number>): Promise<number> {
  const startedAt = performance.now()
  let [done, ms] = [await work(), performance.now() - startedAt]
  while (ms < sliceMs) {
    const more = await work()
    if (more === 0) break
    done += more
    ms = performance.now() - startedAt
  }
  return (done * 1_000) / ms
}

/** An event as those that are stored: smaller ones would fill the gaps that PostgreSQL's old pages have. */
function arrival(key = `order-${randomUUID()}`): AcceptedArrival {
  arrivals += 1
  return arrivalFor(handler, { id: randomUUID(), body: bodies(arrivals), about: [key, `customer-${arrivals % 2_000}`] })
}

let arrivals = 0
