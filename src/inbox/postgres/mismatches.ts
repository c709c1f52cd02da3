import type { RiverhookError } from '../../model/errors.ts'
import type { Mismatch, FlagResult } from '../inbox.ts'
import { readMismatch } from '../rows.ts'
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
    const kind = JSON.stringify([note.realm, note.type, note.path, note.rule, note.handler])
    kinds.set(kind, [...(kinds.get(kind) ?? []), note])
  }
  const sorted = [...kinds].sort(([one], [other]) => (one < other ? -1 : 1))
  await database.transaction(async (tx) => {
    for (const [, same] of sorted) {
      for (const { realm, type, path, rule, handler, count, firstAt, lastAt, eventId } of same) {
        await tx.query(flagSql, [
          indexed(realm),
          indexed(type),
          indexed(path),
          indexed(rule),
          indexed(handler),
          count,
          firstAt,
          lastAt,
          eventId
        ])
      }
    }
  })
}

const flagSql = `
INSERT INTO riverhook.drift AS drift (realm, type, path, rule, handler, count, first_at, last_at, event_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (realm, type, path, rule, handler) DO UPDATE SET
  count = drift.count + excluded.count, first_at = least(drift.first_at, excluded.first_at),
  event_id = CASE WHEN excluded.last_at > drift.last_at THEN excluded.event_id ELSE drift.event_id END, last_at = greatest(drift.last_at, excluded.last_at)`

/** Lists all kinds of mismatches, the latest first. */
export async function listDrifts(session: Session): Promise<readonly Mismatch[]> {
  const rows = await session.query(
    'SELECT realm, type, path, rule, handler, count::float8 AS count, first_at, last_at, event_id FROM riverhook.drift ORDER BY last_at DESC LIMIT 1000'
  )
  return rows.map(readMismatch)
}
