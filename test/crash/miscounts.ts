/** A row of either database. */
type Row = Readonly<Record<string, unknown>>

/** Names of the tables, and the repeats of events. */
const engines = {
  sqlite: { schema: '', repeats: 'SELECT type, duplicates, conflicts FROM event' },
  postgres: {
    schema: 'riverhook.',
    repeats: 'SELECT type, duplicates, conflicts FROM riverhook.event JOIN riverhook.repeat ON event_seq = seq'
  }
} as const

/**
 * Compares the tally with the events and the attempts that are stored. Call this while no process writes.
 * @returns the counts that differ. Must be empty, after any crash
 */
export async function findMiscounts(
  engine: keyof typeof engines,
  query: (sql: string) => readonly Row[] | Promise<readonly Row[]>
): Promise<readonly string[]> {
  const { schema, repeats } = engines[engine]
  const counted = await query(
    `SELECT kind, name, outcome, sum(count) AS count FROM ${schema}tally WHERE kind <> 'request' GROUP BY kind, name, outcome`
  )
  const stored = await query(`
    SELECT 'event' AS kind, type AS name, 'accepted' AS outcome, count(*) AS count FROM ${schema}event GROUP BY type
    UNION ALL SELECT 'event', type, 'duplicate', sum(duplicates - conflicts) FROM (${repeats}) AS repeated GROUP BY type
    UNION ALL SELECT 'event', type, 'conflict', sum(conflicts) FROM (${repeats}) AS repeated GROUP BY type
    UNION ALL SELECT 'attempt', handler, 'done', count(*) FROM ${schema}delivery WHERE state = 'done' GROUP BY handler
    UNION ALL SELECT 'attempt', d.handler, a.state, count(*) FROM ${schema}attempt AS a JOIN ${schema}delivery AS d ON d.id = a.delivery_id
      GROUP BY d.handler, a.state`)
  const tally = toCounts(counted)
  const truth = toCounts(stored)
  return [...new Set([...tally.keys(), ...truth.keys()])]
    .filter((key) => (tally.get(key) ?? 0) !== (truth.get(key) ?? 0))
    .map((key) => `${key}: ${tally.get(key) ?? 0} instead of ${truth.get(key) ?? 0}`)
}

function toCounts(rows: readonly Row[]): ReadonlyMap<string, number> {
  return new Map(
    rows.map((row) => [`${String(row['kind'])} ${String(row['name'])} ${String(row['outcome'])}`, Number(row['count'])])
  )
}
