import type { EventDetail, Inbox } from './inbox.ts'

export interface CopyOptions {
  readonly from: Inbox
  readonly to: Inbox
  /** Called after every portion. */
  readonly onProgress?: (done: CopyReport) => void
}

export interface CopyReport {
  /** How many events were looked at. */
  readonly seen: number
  /** How many of them were not there yet, and are now. */
  readonly copied: number
}

/** So many at a time: one transaction. */
const portion = 200

/**
 * Takes events, deliveries, watermarks and what is known of drift from one inbox to another. What is there already is left alone, so a copy
 * that was cut off goes on where it was when it is made again. Nobody may deliver from `from` meanwhile, or later.
 */
export async function copyInbox({ from, to, onProgress }: CopyOptions): Promise<CopyReport> {
  let report: CopyReport = { seen: 0, copied: 0 }
  let after: number | undefined
  do {
    const page = await from.events({ limit: portion, oldestFirst: true, after })
    const known = await to.known(page.events.map(({ id }) => id))
    const details = await Promise.all(page.events.filter(({ id }) => !known.has(id)).map(({ id }) => from.event(id)))
    const copied = await to.restore(details.filter((detail): detail is EventDetail => detail !== undefined))
    report = { seen: report.seen + page.events.length, copied: report.copied + copied }
    onProgress?.(report)
    after = page.next
  } while (after !== undefined)
  for (const [name, at] of await from.watermarks()) await to.advance(name, at)
  // Counts are added up, so they are taken along once: by the copy that finds none.
  if ((await to.drifts()).length === 0) await to.flag(await from.drifts())
  return report
}
