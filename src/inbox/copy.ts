import { RiverhookError } from '../model/errors.ts'
import type { AuditEntry } from '../model/audit.ts'
import type { EventKey } from '../model/event.ts'
import { checkAgainst, isFunction, isObject, type OptionRule, type OptionRules } from '../model/option-rules.ts'
import { eventPages } from './event-pages.ts'
import type { EventDetail, EventSummary, Inbox } from './inbox.ts'

export interface CopyOptions {
  readonly from: Inbox
  readonly to: Inbox
  /** Called after each batch. */
  readonly onProgress?: ((done: CopyReport) => void) | undefined
}

export interface CopyReport {
  /** How many events were read. */
  readonly seen: number
  /** How many of them were new. */
  readonly copied: number
  /** How many of them were known, and were erased there, because they are erased here. */
  readonly erased: number
  /** How many were not erased there, because a delivery was running. */
  readonly unerased: number
  /** How a person removes what the files may still have of erased data. Undefined if nothing is left. */
  readonly left: string | undefined
}

const isInbox: OptionRule = { ...isObject, expected: 'an Inbox that is open' }
const copyRules: OptionRules<CopyOptions> = { from: isInbox, to: isInbox, onProgress: isFunction }

/** Events read per page, and the most written in one transaction. */
const batchSize = 200
/** The most bytes in one transaction, except for a single larger event: it is held in memory, and has a time limit. */
const batchBytes = 4 * 1024 * 1024

/**
 * Copies events, deliveries, watermarks, mismatches, pauses, the audit log and the tally from one inbox to another.
 * Skips events that the other inbox has, so an interrupted copy can be repeated; those that are erased in `from` are
 * erased in `to`, too. No server may deliver from `from` during the copy or after it.
 * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE while a server has `from`; RIVERHOOK_OPTIONS_INVALID
 */
export async function copyInbox(options: CopyOptions): Promise<CopyReport> {
  checkAgainst(copyRules, options, 'copyInbox', '', ['from', 'to'])
  const { from, to, onProgress } = options
  await requireIdle(from)
  let report: CopyReport = { seen: 0, copied: 0, erased: 0, unerased: 0, left: undefined }
  for await (const { events } of eventPages(from, { limit: batchSize, oldestFirst: true })) {
    const missing = await findMissing(to, events)
    const erasures = await eraseKnown(to, events, missing)
    report = {
      ...report,
      seen: report.seen + events.length - missing.length,
      erased: report.erased + erasures.erased,
      unerased: report.unerased + erasures.unerased
    }
    for await (const { read, details } of readBatches(from, missing)) {
      const copied = details.length === 0 ? 0 : await to.restore(details)
      report = { ...report, seen: report.seen + read, copied: report.copied + copied }
      onProgress?.(report)
    }
    if (missing.length === 0) onProgress?.(report)
  }
  const now = await to.now()
  // Skip a watermark in the future, which a wrong clock wrote. `advance` would set it to the present, which looks
  // valid.
  for (const { realm, name, at } of await from.watermarks()) if (at <= now) await to.advance(realm, name, at)
  for (const { handler } of await from.pauses()) await to.pause(handler)
  // Counts are added, so copy them once: only if the other inbox has none.
  if ((await to.drifts()).length === 0) {
    const refused = (await to.flag(await from.drifts())).find((result) => result instanceof RiverhookError)
    if (refused !== undefined) throw refused
  }
  await copyAudits(from, to)
  await copyTally(from, to)
  await requireIdle(from)
  return report.erased === 0 ? report : { ...report, left: await to.scrub() }
}

/** Erases the events of a page that are erased, and that the other inbox has with their data. */
async function eraseKnown(
  to: Inbox,
  events: readonly EventSummary[],
  missing: readonly EventKey[]
): Promise<Pick<CopyReport, 'erased' | 'unerased'>> {
  const keys: EventKey[] = []
  for (const event of events) {
    if (event.state !== 'erased' || missing.includes(event)) continue
    const { realm, id } = event
    const [there] = (await to.events({ realm, id, limit: 1 })).events
    if (there !== undefined && there.state !== 'erased') keys.push({ realm, id })
  }
  const erased = keys.length === 0 ? 0 : await to.erase(keys)
  return { erased, unerased: keys.length - erased }
}

/** Copies the audit log, the oldest entry first. */
async function copyAudits(from: Inbox, to: Inbox): Promise<void> {
  const entries: AuditEntry[] = []
  let after: number | undefined
  do {
    const page = await from.audits({ limit: batchSize, after })
    entries.push(...page.entries)
    after = page.next
  } while (after !== undefined)
  let batch: AuditEntry[] = []
  for (const entry of entries.toReversed()) {
    // Equal entries are in one batch: those that are there already are skipped.
    if (batch.length >= batchSize && batch.at(-1)?.at.getTime() !== entry.at.getTime()) {
      await to.restoreAudits(batch)
      batch = []
    }
    batch.push(entry)
  }
  if (batch.length > 0) await to.restoreAudits(batch)
}

const dayMs = 86_400_000
/** Older rows are pruned. */
const tallyDays = 92

/** Copies the tally, day by day. */
async function copyTally(from: Inbox, to: Inbox): Promise<void> {
  const end = (await from.now()).getTime() + dayMs
  for (let day = tallyDays; day > 0; day -= 1) {
    const since = new Date(end - day * dayMs)
    const rows = await from.tally({ since, until: new Date(since.getTime() + dayMs), step: 'minute' })
    for (let start = 0; start < rows.length; start += batchSize)
      await to.restoreTally(rows.slice(start, start + batchSize))
  }
}

async function requireIdle(inbox: Inbox): Promise<void> {
  const servers = (await inbox.servers?.()) ?? []
  if (servers.length === 0) return
  throw new RiverhookError(
    'RIVERHOOK_INBOX_IN_USE',
    `The inbox to copy from is in use by ${servers.join(', ')}: events handled from now on would be handled twice. ` +
      'Stop its servers and copy again. A server that was killed is listed for another minute'
  )
}

/** Finds those of the events that the inbox does not have. */
async function findMissing(inbox: Inbox, events: readonly EventKey[]): Promise<readonly EventKey[]> {
  const missing: EventKey[] = []
  for (const [realm, ofRealm] of Map.groupBy(events, (event) => event.realm)) {
    const known = await inbox.known(
      realm,
      ofRealm.map(({ id }) => id)
    )
    missing.push(...ofRealm.filter(({ id }) => !known.has(id)))
  }
  return missing
}

/** Reads the events of these keys, in batches that fit into one transaction. */
async function* readBatches(
  from: Inbox,
  keys: readonly EventKey[]
): AsyncGenerator<{ readonly read: number; readonly details: readonly EventDetail[] }> {
  let read = 0
  let bytes = 0
  let details: EventDetail[] = []
  for (const { realm, id } of keys) {
    const detail = await from.event({ realm, id })
    read += 1
    if (detail !== undefined) {
      details.push(detail)
      bytes += detail.body.byteLength
    }
    if (bytes < batchBytes) continue
    yield { read, details }
    read = bytes = 0
    details = []
  }
  if (read > 0) yield { read, details }
}
