import { types } from 'node:util'

import { actorOrigins, type AuditEntry } from '../model/audit.ts'
import { deliveryStates, eventStates } from '../model/event.ts'
import { toSearchKeys } from '../model/search-keys.ts'
import { tallyKinds, type TallyRow } from '../model/tally.ts'
import {
  among,
  checkFields,
  checkList,
  count,
  flag,
  instant,
  list,
  printable,
  type Rule,
  type Rules,
  size,
  text
} from './check-rules.ts'
import type { EventDetail } from './inbox.ts'

// Checks of what is copied from another inbox.

const bytes: Rule = (value) => (types.isUint8Array(value) ? undefined : 'must be a Uint8Array')
const headers: Rule = (value) =>
  typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'string')
    ? undefined
    : 'must be an object of strings'
const restoredEvent: Rules = {
  realm: { rule: text, isRequired: true },
  source: { rule: text, isRequired: true },
  headers: { rule: headers, isRequired: true },
  id: { rule: text, isRequired: true },
  type: { rule: text, isRequired: true },
  state: { rule: among(eventStates), isRequired: true },
  endpoint: { rule: text, isRequired: true },
  receivedAt: { rule: instant, isRequired: true },
  body: { rule: bytes, isRequired: true },
  duplicates: { rule: count, isRequired: true },
  conflicts: { rule: count, isRequired: true },
  liveMode: { rule: flag },
  createdTime: { rule: text },
  about: { rule: list },
  resource: { rule: text },
  trace: { rule: text },
  reason: { rule: text }
}
const restoredDelivery: Rules = {
  handler: { rule: text, isRequired: true },
  state: { rule: among(deliveryStates), isRequired: true },
  attempts: { rule: count, isRequired: true },
  losses: { rule: count },
  dueAt: { rule: instant },
  settledAt: { rule: instant },
  orderKey: { rule: text },
  lastError: { rule: text }
}
const restoredAttempt: Rules = {
  attempt: { rule: count, isRequired: true },
  startedAt: { rule: instant, isRequired: true },
  endedAt: { rule: instant, isRequired: true }
}

const tallyRow: Rules = {
  at: { rule: instant, isRequired: true },
  kind: { rule: among(tallyKinds), isRequired: true },
  name: { rule: text, isRequired: true },
  outcome: { rule: text, isRequired: true },
  count: { rule: size, isRequired: true },
  totalMs: { rule: size, isRequired: true },
  maxMs: { rule: size, isRequired: true }
}
const auditEntry: Rules = {
  at: { rule: instant, isRequired: true },
  actor: { rule: text, isRequired: true },
  via: { rule: among(actorOrigins), isRequired: true },
  peer: { rule: text },
  requestId: { rule: text },
  action: { rule: text, isRequired: true },
  target: { rule: text, isRequired: true },
  count: { rule: count, isRequired: true },
  outcome: { rule: text, isRequired: true }
}

/**
 * Checks events to restore. `losses` and `about` may be missing in an inbox of another kind or version.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID that names the event and the field
 */
export function checkRestored(given: readonly EventDetail[]): readonly EventDetail[] {
  return checkList(given, 'restore()').map((event) => {
    checkFields('restore()', restoredEvent, event)
    const call = `restore() of the event ${printable(event.id)}`
    const deliveries = checkList(event.deliveries, `${call}: "deliveries"`).map((delivery) => {
      checkFields(call, restoredDelivery, delivery)
      for (const attempt of checkList(delivery.attemptLog, `${call}: "attemptLog"`))
        checkFields(call, restoredAttempt, attempt)
      return { ...delivery, losses: (delivery as { readonly losses?: number }).losses ?? 0 }
    })
    return { ...event, about: toSearchKeys((event as { readonly about?: readonly string[] }).about ?? []), deliveries }
  })
}

/** Checks entries of the audit log of another inbox. */
export function checkRestoredAudits(given: readonly AuditEntry[]): readonly AuditEntry[] {
  for (const entry of checkList(given, 'restoreAudits()')) checkFields('restoreAudits()', auditEntry, entry)
  return given
}

/** Checks counts of another inbox. */
export function checkRestoredTally(given: readonly TallyRow[]): readonly TallyRow[] {
  for (const row of checkList(given, 'restoreTally()')) checkFields('restoreTally()', tallyRow, row)
  return given
}
