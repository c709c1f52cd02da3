import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import { RiverhookError, type DeliverySummary, type Inbox } from '../index.ts'
import { optionRules } from '../programs.ts'
import { clearTimeout, setTimeout } from './timers.ts'

const { checkAgainst, isDelay, isWholeNumber } = optionRules

const ended: readonly DeliverySummary['state'][] = ['done', 'dead', 'parked']

/**
 * Waits, without polling, until every delivery of an event is done, dead or parked. Where several realms have an event
 * with this id, waits for the deliveries of each. Reads again if the inbox is busy with other reads.
 * @param options.deliveries the least number of deliveries to wait for
 * @param options.timeoutMs after this time, returns the deliveries as they are then; default: no limit
 */
export async function whenSettled(
  inbox: Pick<Inbox, 'events'>,
  eventId: string,
  options: { deliveries?: number; timeoutMs?: number } = {}
): Promise<readonly DeliverySummary[]> {
  checkAgainst({ deliveries: isWholeNumber(0), timeoutMs: isDelay(0) }, options, 'whenSettled')
  const { deliveries: least = 0, timeoutMs } = options
  const { promise: timeUp, resolve: giveUp } = Promise.withResolvers<'late'>()
  let isLate = false
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          isLate = true
          giveUp('late')
        }, timeoutMs)
  let changed = Promise.withResolvers<'changed'>()
  const note = (): void => {
    changed.resolve('changed')
    changed = Promise.withResolvers()
  }
  // A turn to read comes within seconds, or is refused.
  const read = async (): ReturnType<Inbox['events']> => {
    for (;;)
      try {
        return await inbox.events({ id: eventId, limit: 100 })
      } catch (error) {
        const isBusy = error instanceof RiverhookError && error.code === 'RIVERHOOK_INBOX_READS_BUSY'
        if (!isBusy || isLate) throw error
      }
  }
  subscribe('riverhook:settled', note)
  try {
    for (;;) {
      const next = changed.promise
      const found = (await read()).events.flatMap(({ deliveries }) => deliveries)
      if (found.length >= least && found.every(({ state }) => ended.includes(state))) return found
      if ((await Promise.race([next, timeUp])) === 'late') return found
    }
  } finally {
    clearTimeout(timer)
    unsubscribe('riverhook:settled', note)
  }
}
