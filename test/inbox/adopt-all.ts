import type { HandlerRecord, Inbox } from '../../src/inbox/inbox.ts'

/** Adopts handlers until nothing is left to park or to resume. @returns the sums of all batches, and their number */
export async function adoptAll(
  inbox: Inbox,
  handlers: readonly HandlerRecord[]
): Promise<readonly [parked: number, resumed: number, batches: number]> {
  const sums: [number, number, number] = [0, 0, 0]
  let hasMore: boolean | undefined = true
  while (hasMore === true) {
    const adopted = await inbox.adopt(handlers)
    sums[0] += adopted.parked
    sums[1] += adopted.resumed
    sums[2] += 1
    hasMore = adopted.hasMore
  }
  return sums
}
