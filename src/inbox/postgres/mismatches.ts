import type { RiverhookError } from '../../model/errors.ts'
import type { Act } from '../../model/audit.ts'
import { acknowledgeResult } from '../act-results.ts'
import type { FlagResult, Mismatch, MismatchKind } from '../inbox.ts'
import { readMismatch } from '../rows.ts'
import { writeAudit } from './audit.ts'
import type { Times } from './claim.ts'
import type { Database, Session } from './database.ts'
import { inParts } from './parts.ts'
import { indexed } from './storable.ts'

/** Adds mismatches to the counts of their kinds. Errors are handled as in `inParts`. */
export function flag(
  database: Database,
  notes: readonly Mismatch[]
): Promise<readonly (FlagResult | RiverhookError)[]> {
  return inParts(notes, async (part) => {
    await flagAll(database, part)
    return part.map(() => 'flagged')
  })
}

/** Writes in a fixed order, so that replicas do not deadlock. */
async function flagAll(database: Database, notes: readonly Mismatch[]): Promise<void> {
  const kinds = new Map<string, Mismatch[]>()
  for (const note of notes) {
    const kind = JSON.stringify(toKey(note))
    kinds.set(kind, [...(kinds.get(kind) ?? []), note])
  }
  const sorted = [...kinds].sort(([one], [other]) => (one < other ? -1 : 1))
  await database.transaction(async (tx) => {
    for (const [, same] of sorted)
      for (const note of same) {
        const { count, firstAt, lastAt, eventId, acknowledgedAt = null } = note
        await tx.query(flagSql, [...toKey(note), count, firstAt, lastAt, eventId, acknowledgedAt])
      }
  })
}

/** The primary key of a kind. */
function toKey({ realm, type, path, rule, handler }: MismatchKind): readonly string[] {
  return [realm, type, path, rule, handler].map(indexed)
}

const flagSql = `
INSERT INTO riverhook.drift AS drift (realm, type, path, rule, handler, count, first_at, last_at, event_id, acknowledged_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (realm, type, path, rule, handler) DO UPDATE SET
  count = drift.count + excluded.count, first_at = least(drift.first_at, excluded.first_at),
  event_id = CASE WHEN excluded.last_at > drift.last_at THEN excluded.event_id ELSE drift.event_id END, last_at = greatest(drift.last_at, excluded.last_at)`

/** Lists all kinds of mismatches, the latest first. */
export async function listDrifts(session: Session): Promise<readonly Mismatch[]> {
  const rows = await session.query(
    'SELECT realm, type, path, rule, handler, count::float8 AS count, first_at, last_at, event_id, acknowledged_at FROM riverhook.drift ORDER BY last_at DESC LIMIT 1000'
  )
  return rows.map(readMismatch)
}

/** Marks kinds as acknowledged, or removes the mark. @returns how many were changed */
export function acknowledge(
  database: Database,
  kinds: readonly MismatchKind[],
  isAcknowledged: boolean,
  act: Act | undefined,
  { fixed }: Times
): Promise<number> {
  return database.transaction(async (tx) => {
    const keys = kinds.map(toKey)
    const columns = [0, 1, 2, 3, 4].map((column) => keys.map((key) => key[column]))
    const changed = (await tx.query(acknowledgeSql, [...columns, isAcknowledged, fixed ?? null])).length
    await writeAudit(tx, act, acknowledgeResult(isAcknowledged, changed), fixed)
    return changed
  })
}

const acknowledgeSql = `
UPDATE riverhook.drift AS drift SET acknowledged_at = CASE WHEN $6::boolean THEN coalesce($7::timestamptz, statement_timestamp()) END
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS given (realm, type, path, rule, handler)
WHERE (drift.realm, drift.type, drift.path, drift.rule, drift.handler) = (given.realm, given.type, given.path, given.rule, given.handler)
  AND (drift.acknowledged_at IS NULL) = $6::boolean
RETURNING drift.type`
