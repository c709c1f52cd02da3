import type { Act } from '../../model/audit.ts'
import type { EventKey } from '../../model/event.ts'
import { eraseResult } from '../act-results.ts'
import { writeAudit } from './audit.ts'
import type { Times } from './claim.ts'
import type { Database } from './database.ts'
import { lineUp, lockKeys, readKey } from './order.ts'
import { eventKeysSql, isNamed } from './prune.ts'
import { deleteKeysSql } from './reindex.ts'
import { schemaText } from './schema-name.ts'
import { indexed } from './storable.ts'

/**
 * Erases the personal data of events, and deletes their deliveries that are not done. Locks their order keys first, and
 * then lets the deliveries continue that waited for them.
 * @returns how many events
 */
export async function erase(
  database: Database,
  given: readonly EventKey[],
  act: Act | undefined,
  { fixed }: Times
): Promise<number> {
  const named = [given.map(({ id }) => indexed(id)), given.map(({ realm }) => indexed(realm))]
  const keys = (await database.query(eventKeysSql, named)).map(readKey)
  return database.transaction(
    async (tx) => {
      const rows = await tx.query(
        `SELECT seq FROM riverhook.event AS event WHERE ${isNamed} AND state <> 'erased' ORDER BY seq FOR UPDATE`,
        named
      )
      // The locks on the events keep others from adding deliveries.
      const deliveries = await tx.query(
        'SELECT id, event_seq, state FROM riverhook.delivery WHERE event_seq = ANY ($1::bigint[]) ORDER BY id FOR UPDATE',
        [rows.map((row) => row['seq'])]
      )
      const running = new Set(deliveries.filter(({ state }) => state === 'running').map((row) => row['event_seq']))
      const seqs = rows.map((row) => row['seq']).filter((seq) => !running.has(seq))
      const own = deliveries.filter((row) => !running.has(row['event_seq']))
      const { done = [], open = [] } = Object.groupBy(own, ({ state }) => (state === 'done' ? 'done' : 'open'))
      const [openIds, doneIds] = [open, done].map((list) => list.map((row) => row['id']))
      await tx.query('DELETE FROM riverhook.attempt WHERE delivery_id = ANY ($1::bigint[])', [openIds])
      await tx.query('DELETE FROM riverhook.delivery WHERE id = ANY ($1::bigint[])', [openIds])
      await tx.query('UPDATE riverhook.attempt SET error = NULL WHERE delivery_id = ANY ($1::bigint[])', [doneIds])
      await tx.query(
        'UPDATE riverhook.delivery SET order_key = NULL, last_error = NULL WHERE id = ANY ($1::bigint[])',
        [doneIds]
      )
      await tx.query(deleteKeysSql, [seqs])
      await tx.query(eraseSql, [seqs])
      await lineUp(tx, keys)
      await writeAudit(tx, act, eraseResult(given.length, seqs.length), fixed)
      return seqs.length
    },
    { begin: lockKeys(keys) }
  )
}

const eraseSql = `
UPDATE riverhook.event SET state = 'erased', body = '', headers = NULL, reason = NULL, resource = NULL
WHERE seq = ANY ($1::bigint[])`

/** Returns how to remove what PostgreSQL keeps: the former versions of the rows. */
export function adviseVacuum(schema: string): string {
  return (
    'PostgreSQL keeps erased data in its files until the next VACUUM, and in its backups and WAL archives until you delete them. ' +
    `To remove it from the tables now, run: ${schemaText('VACUUM riverhook.event, riverhook.event_key, riverhook.delivery, riverhook.attempt', schema)}`
  )
}
