/**
 * Estimates when an event arrived, in milliseconds since the epoch, although clocks may be wrong. Ignores times in the
 * future. An event cannot arrive before it was created.
 */
export function arrivedAt(receivedAt: number, createdTime: unknown, now: number): number {
  const times = [receivedAt, Date.parse(typeof createdTime === 'string' ? createdTime : '')].filter(
    (time) => time <= now
  )
  return times.length === 0 ? now : Math.max(...times)
}

/**
 * True if `prune` has passed all old events. Events are stored in the order of their arrival, so all events after one
 * that is not old are not old either. An event in the future proves nothing: a wrong clock wrote its time.
 * @param young when the events of a batch that are not old were received, in milliseconds since the epoch
 */
export function isPastOld(young: readonly number[], now: number): boolean {
  return young.some((time) => time <= now)
}
