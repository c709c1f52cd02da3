/** When events arrived, by clocks that may be wrong: for retention and `prune`. */

/**
 * When an event arrived, as far as its times can be believed, in milliseconds since the epoch: a time in the future
 * was written by a clock that was wrong, and an event cannot arrive before it is created.
 */
export function arrivedAt(receivedAt: number, createdTime: unknown, now: number): number {
  const times = [receivedAt, Date.parse(typeof createdTime === 'string' ? createdTime : '')].filter(
    (time) => time <= now
  )
  return times.length === 0 ? now : Math.max(...times)
}

/**
 * For `prune`: true where no later event is old, as events lie in the order of their arrival. An event whose time
 * lies in the future does not show that: a clock that was wrong has written it.
 * @param young when those of a batch that are not old were received, in milliseconds since the epoch
 */
export function isPastOld(young: readonly number[], now: number): boolean {
  return young.some((time) => time <= now)
}
