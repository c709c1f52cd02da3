import { RiverhookError } from '../../model/errors.ts'
import type { EventKey } from '../../model/event.ts'
import { eventPages } from '../event-pages.ts'
import type { EventDetail, Inbox, Resealing } from '../inbox.ts'
import { keyIdsOf, openDetail, resealing, sealDetail } from './fields.ts'
import { readKeys, saveState, withKey, withOnly, type Keys, type StoredState } from './state.ts'
import type { EncryptionKeys } from '../../model/encryption-keys.ts'

/** Events per page and per transaction: few, so that requests need not wait. */
export const batchSize = 200
const everyEvent = { limit: batchSize, oldestFirst: true }
/** The most bytes of bodies in one transaction, except for a single larger event. */
const batchBytes = 4 * 1024 * 1024
/** How often one call looks at all events: another process may have written with an older key meanwhile. */
const mostPasses = 5

/** The result for the events. */
export interface Reencrypted {
  readonly seen: number
  readonly changed: number
  /** Events that cannot be decrypted. They are left as they are. */
  readonly damaged: readonly EventKey[]
}

interface Resealed {
  readonly changed: number
  readonly damaged: readonly EventKey[]
}

/** Brings events into the form of new ones: encrypted with the key that writes, or in plain text. */
export async function resealEvents(inner: Inbox, keys: Keys, events: readonly EventKey[]): Promise<Resealed> {
  const damaged: EventKey[] = []
  let changed = 0
  let batch: Resealing[] = []
  let bytes = 0
  const write = async (): Promise<void> => {
    if (batch.length > 0) changed += await inner.reseal(batch)
    batch = []
    bytes = 0
  }
  for (const { realm, id } of events) {
    const stored = await inner.event({ realm, id })
    if (stored === undefined || stored.state === 'erased') continue
    const change = await tryResealing(inner, keys, stored)
    if (change === 'damaged') damaged.push({ realm, id })
    else if (change !== undefined) {
      batch.push(change)
      bytes += change.body.byteLength
      if (bytes >= batchBytes) await write()
    }
  }
  await write()
  return { changed, damaged }
}

async function tryResealing(inner: Inbox, keys: Keys, stored: EventDetail): Promise<Resealing | undefined | 'damaged'> {
  try {
    return resealing(stored, sealDetail(keys, openDetail(keys, stored)))
  } catch (error) {
    if (!(error instanceof RiverhookError)) throw error
    if (error.code === 'RIVERHOOK_INBOX_DAMAGED') return 'damaged'
    // A changed byte, or a body in plain text that looks encrypted, can name a key that is not in use.
    if (error.code === 'RIVERHOOK_INBOX_KEY' && !(await lacksUsedKey(inner, keys, stored))) return 'damaged'
    throw error
  }
}

/** Whether an event is encrypted with a key in use that this process does not have: another one has just added it. */
async function lacksUsedKey(inner: Inbox, { cipher }: Keys, stored: EventDetail): Promise<boolean> {
  const { keys: inUse } = JSON.parse((await inner.encryption()) ?? '{"keys":{}}') as StoredState
  return [...keyIdsOf(stored)].some((id) => !cipher.has(id) && inUse[id] !== undefined)
}

/**
 * Brings all events into the form of new ones, beside running servers. It can be stopped at any time, and repeated:
 * each event is changed in one transaction, and can be read before and after it. At the end, the state of the inbox
 * says that only this form is in use.
 * @throws {RiverhookError} RIVERHOOK_INBOX_KEY if a key is missing
 */
export async function reencrypt(
  inner: Inbox,
  given: EncryptionKeys,
  onProgress: (count: number) => void = () => undefined
): Promise<Reencrypted> {
  let changed = 0
  for (let pass = 1; ; pass += 1) {
    const keys = await readKeys(inner, given)
    const { state, writesWith } = keys
    if (state === undefined) return { seen: 0, changed: 0, damaged: [] }
    if (writesWith !== undefined && state.keys[writesWith] === undefined) {
      await saveState(inner, keys, withKey(keys.cipher, given, state, writesWith))
      continue
    }
    const done = await reencryptAll(inner, keys, pass === 1 ? onProgress : () => undefined)
    changed += done.changed
    const report = { ...done, changed }
    if (done.damaged.length > 0) return report
    if (done.changed === 0) {
      await saveState(inner, keys, writesWith === undefined ? undefined : withOnly(state, writesWith))
      return report
    }
    if (pass >= mostPasses) return report
  }
}

async function reencryptAll(inner: Inbox, keys: Keys, onProgress: (count: number) => void): Promise<Reencrypted> {
  let report: Reencrypted = { seen: 0, changed: 0, damaged: [] }
  for await (const { events } of eventPages(inner, everyEvent)) {
    const { changed, damaged } = await resealEvents(inner, keys, events)
    report = {
      seen: report.seen + events.length,
      changed: report.changed + changed,
      damaged: [...report.damaged, ...damaged]
    }
    onProgress(events.length)
  }
  return report
}

/** Counts the events by the id of each key that a part of them is encrypted with; `plain text` without one. */
export async function countByKey(
  inner: Inbox,
  onProgress: (count: number) => void = () => undefined
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  for await (const { events } of eventPages(inner, everyEvent)) {
    for (const { realm, id } of events) {
      const stored = await inner.event({ realm, id })
      if (stored === undefined) continue
      for (const key of keyIdsOf(stored)) counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    onProgress(events.length)
  }
  return counts
}
