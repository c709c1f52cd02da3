import type { Act } from '../../model/audit.ts'
import { eraseResult } from '../act-results.ts'
import type { RemovalTarget } from '../inbox.ts'
import { writeAudit } from './audit.ts'
import type { Times } from './claim.ts'
import type { Database } from './database.ts'
import { changeSeen } from './prune.ts'
import { deleteKeysSql } from './reindex.ts'
import { schemaText } from './schema-name.ts'

/** Erases the personal data of events, and deletes their deliveries that are not done. @returns how many events */
export function erase(
  database: Database,
  targets: readonly RemovalTarget[],
  act: Act | undefined,
  { fixed }: Times
): Promise<number> {
  return changeSeen(database, targets, async (tx, rows, deliveries) => {
    const seqs = rows.map((row) => row['seq'])
    const { done = [], open = [] } = Object.groupBy(deliveries, ({ state }) => (state === 'done' ? 'done' : 'open'))
    const [openIds, doneIds] = [open, done].map((list) => list.map(({ id }) => id))
    await tx.query('DELETE FROM riverhook.attempt WHERE delivery_id = ANY ($1::bigint[])', [openIds])
    await tx.query('DELETE FROM riverhook.delivery WHERE id = ANY ($1::bigint[])', [openIds])
    await tx.query('UPDATE riverhook.attempt SET error = NULL WHERE delivery_id = ANY ($1::bigint[])', [doneIds])
    await tx.query('UPDATE riverhook.delivery SET order_key = NULL, last_error = NULL WHERE id = ANY ($1::bigint[])', [
      doneIds
    ])
    await tx.query(deleteKeysSql, [seqs])
    await tx.query(eraseSql, [seqs])
    await writeAudit(tx, act, eraseResult(targets.length, seqs.length), fixed)
    return seqs.length
  })
}

const eraseSql = `
UPDATE riverhook.event SET state = 'erased', body = '', headers = NULL, reason = NULL, resource = NULL
WHERE seq = ANY ($1::bigint[])`

/** Returns how to remove what PostgreSQL keeps: former versions of rows, and values in its statistics. */
export function adviseVacuum(schema: string): string {
  return (
    'PostgreSQL keeps erased data in former versions of rows and in its statistics, and in its backups and WAL archives until you delete them. ' +
    `To remove it from the tables and the statistics, run, when few events arrive, because it locks one table after the other: ${schemaText('VACUUM (FULL, ANALYZE) riverhook.event, riverhook.event_key, riverhook.delivery, riverhook.attempt', schema)}`
  )
}
