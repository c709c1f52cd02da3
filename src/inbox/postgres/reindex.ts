import type { IndexEntry } from '../inbox.ts'
import type { Database } from './database.ts'
import { indexed, packKeys } from './storable.ts'

/** Replaces the search keys of events, except erased ones. @returns how many of these events there are */
export function reindex(database: Database, entries: readonly IndexEntry[]): Promise<number> {
  return database.transaction(async (tx) => {
    const rows = await tx.query(lockSql, [
      entries.map(({ event }) => indexed(event.id)),
      entries.map(({ event }) => indexed(event.realm))
    ])
    const seqs = new Map(rows.map((row) => [Number(row['position']), row['seq']]))
    const stored = [...seqs]
    await tx.query(resourcesSql, [
      stored.map(([, seq]) => seq),
      stored.map(([position]) => entries[position - 1]?.resource ?? null)
    ])
    await tx.query(deleteKeysSql, [[...seqs.values()]])
    const { positions, values } = packKeys(entries.map((entry, index) => (seqs.has(index + 1) ? entry : undefined)))
    await tx.query(insertKeysSql, [positions.map((position) => seqs.get(position)), values])
    return seqs.size
  })
}

/** The lock keeps an event from being removed before its keys are stored. Events are locked in order of arrival. */
const lockSql = `
SELECT given.position::integer, event.seq FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS given (id, realm, position)
JOIN riverhook.event AS event USING (id, realm) WHERE event.state <> 'erased' ORDER BY event.seq FOR UPDATE OF event`

const resourcesSql = `
UPDATE riverhook.event AS event SET resource = given.resource FROM unnest($1::bigint[], $2::text[]) AS given (seq, resource)
WHERE event.seq = given.seq AND event.resource IS DISTINCT FROM given.resource`

export const deleteKeysSql = 'DELETE FROM riverhook.event_key WHERE event_seq = ANY ($1::bigint[])'

export const insertKeysSql = `
INSERT INTO riverhook.event_key (event_seq, value) SELECT seq, value FROM unnest($1::bigint[], $2::text[]) AS given (seq, value)
ON CONFLICT DO NOTHING`
