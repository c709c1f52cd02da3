import type { DatabaseSync } from 'node:sqlite'

/**
 * Unsettled and claimable: written the same everywhere, because a partial index is used only where its condition
 * recurs.
 */
const claimable = "state IN ('pending', 'running')"
const ofLine = 'FROM delivery WHERE handler = ? AND realm = ? AND order_key = ?'

/** Of events of one source; of deliveries whose event is gone, with NULL. */
const ofSource = '(SELECT source FROM event WHERE seq = event_seq) IS ?'

/** What a handler's run needs, and what tells whether the run before was lost. */
const claimedColumns = `d.id, d.realm, d.handler, d.state, d.attempts, d.losses, d.suspicion, d.on_loss, d.token, d.due_at, d.order_key, d.owner,
           e.id AS event_id, e.source, e.type, e.headers, e.endpoint, e.received_at, e.body`

// Parameters are plain question marks: node:sqlite of Node 22 cannot bind numbered ones by position.
export const statements = {
  insertEvent: `
    INSERT INTO event (realm, id, source, state, type, live_mode, created_time, endpoint, received_at, reason, receipt, headers, backfilled, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, realm) DO NOTHING`,
  /** The API writes an event anew, so the bytes of a backfilled one tell nothing. */
  countDuplicate: `
    UPDATE event SET duplicates = duplicates + 1, conflicts = conflicts + (NOT ? AND NOT backfilled AND body <> ?) WHERE id = ? AND realm = ?
    RETURNING NOT ? AND NOT backfilled AND body <> ? AS conflict`,
  isKnown: 'SELECT 1 FROM event WHERE id = ? AND realm = ?',
  watermarks: 'SELECT realm, name, at FROM watermark',
  watermark: 'SELECT at FROM watermark WHERE realm = ? AND name = ?',
  advance:
    'INSERT INTO watermark (realm, name, at) VALUES (?, ?, ?) ON CONFLICT (realm, name) DO UPDATE SET at = iif(at > ?, excluded.at, max(at, excluded.at))',
  flag: `
    INSERT INTO drift (realm, type, path, rule, handler, count, first_at, last_at, event_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (realm, type, path, rule, handler) DO UPDATE SET
      count = count + excluded.count, first_at = min(first_at, excluded.first_at),
      event_id = iif(excluded.last_at > last_at, excluded.event_id, event_id), last_at = max(last_at, excluded.last_at)`,
  drifts:
    'SELECT realm, type, path, rule, handler, count, first_at, last_at, event_id FROM drift ORDER BY last_at DESC LIMIT 1000',
  insertDelivery:
    'INSERT INTO delivery (event_seq, realm, handler, state, due_at, order_key) VALUES (?, ?, ?, ?, ?, ?)',
  setCounts: 'UPDATE event SET duplicates = ?, conflicts = ? WHERE seq = ?',
  restoreDelivery: `
    INSERT INTO delivery (event_seq, realm, handler, state, attempts, losses, due_at, order_key, started_at, settled_at, last_error)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  deliveryOf:
    'SELECT id, state, attempts, order_key, started_at, settled_at FROM delivery WHERE event_seq = ? AND handler = ?',
  quarantined: "SELECT seq, body, backfilled FROM event WHERE id = ? AND realm = ? AND state = 'quarantined'",
  admit:
    "UPDATE event SET id = ?, state = 'accepted', type = ?, live_mode = ?, created_time = ?, reason = NULL WHERE seq = ?",
  acceptedSeq: "SELECT seq, source FROM event WHERE id = ? AND realm = ? AND state = 'accepted'",

  /** Due deliveries, expired leases, and deliveries whose event is gone. Suspects are claimed on their own. */
  due: `
    SELECT ${claimedColumns} FROM delivery AS d LEFT JOIN event AS e ON e.seq = d.event_seq
    WHERE d.handler = ? AND d.${claimable} AND d.due_at <= ? AND (d.suspicion = 0 OR d.state = 'running' OR e.seq IS NULL)
      AND (e.source = ? OR e.seq IS NULL)
    ORDER BY d.due_at, d.id LIMIT ?`,
  nextDue: `
    SELECT due_at FROM delivery WHERE handler = ? AND ${claimable} AND state = 'pending' AND suspicion = 0 AND due_at > ? ORDER BY due_at LIMIT 1`,
  lease:
    "UPDATE delivery SET state = 'running', attempts = attempts + ?, on_loss = ?, token = token + 1, due_at = ?, owner = ? WHERE id = ?",
  suspects: `
    SELECT id, handler, suspicion FROM delivery WHERE state = 'pending' AND suspicion > 0 AND due_at <= ?
    AND EXISTS (SELECT 1 FROM event JOIN json_each(?) AS known ON known.value ->> 'name' = handler AND known.value ->> 'source' = source
      WHERE seq = event_seq) ORDER BY due_at, id LIMIT 100`,
  dueSuspect: `
    SELECT ${claimedColumns} FROM delivery AS d JOIN event AS e ON e.seq = d.event_seq WHERE d.id = ? AND d.state = 'pending' AND d.due_at <= ?`,
  extend:
    "UPDATE delivery SET due_at = ?, on_loss = coalesce(?, on_loss) WHERE id = ? AND token = ? AND state = 'running'",
  expire: `
    UPDATE delivery SET state = 'pending', owner = NULL, overtakable = 0, losses = losses + (on_loss <> 'attempt'),
      suspicion = suspicion + (on_loss <> 'nothing'), last_error = ? WHERE id = ?`,

  settleDone: `
    UPDATE delivery SET state = 'done', owner = NULL, started_at = ?, settled_at = ? WHERE id = ? AND token = ? AND state = 'running'
    RETURNING handler, realm, order_key, attempts`,
  settleDead: `
    UPDATE delivery SET state = 'dead', owner = NULL, started_at = ?, settled_at = ?, last_error = ?
    WHERE id = ? AND token = ? AND state = 'running' RETURNING handler, realm, order_key, attempts`,
  settleRetry: `
    UPDATE delivery SET state = 'pending', owner = NULL, due_at = ?, overtakable = ?, last_error = ?, suspicion = 0
    WHERE id = ? AND token = ? AND state = 'running' RETURNING handler, realm, order_key, attempts`,
  settleLost: `
    UPDATE delivery SET state = 'pending', owner = NULL, due_at = ?, overtakable = ?, last_error = ?, losses = losses + ?, suspicion = suspicion + 1
    WHERE id = ? AND token = ? AND state = 'running' RETURNING handler, realm, order_key, attempts`,
  /** The attempt was not made, so it does not count. */
  settleBack: `
    UPDATE delivery SET state = ?, owner = NULL, due_at = ?, attempts = attempts - 1
    WHERE id = ? AND token = ? AND state = 'running' RETURNING handler, realm, order_key, attempts + 1 AS attempts`,
  logAttempt:
    'INSERT INTO attempt (delivery_id, attempt, state, started_at, ended_at, error) VALUES (?, ?, ?, ?, ?, ?)',

  keyIsRunning: `SELECT 1 ${ofLine} AND state = 'running' LIMIT 1`,
  /** What is pending of a key, but for failed deliveries that let others overtake. */
  headOfKey: `SELECT id, event_seq ${ofLine} AND state = 'pending' AND overtakable = 0 ORDER BY event_seq LIMIT 1`,
  nextOfKey: `SELECT id, event_seq ${ofLine} AND state = 'waiting' ORDER BY event_seq LIMIT 1`,
  parkedOfKey: `SELECT event_seq ${ofLine} AND state = 'parked' ORDER BY event_seq LIMIT 1`,
  stepBack:
    "UPDATE delivery SET state = 'waiting' WHERE handler = ? AND realm = ? AND order_key = ? AND state = 'pending' AND overtakable = 0 AND id <> ?",
  getInLine: `
    UPDATE delivery SET overtakable = 0 WHERE id IN (
      SELECT id ${ofLine} AND state = 'pending' AND overtakable = 1 AND due_at <= ? ORDER BY due_at LIMIT 1000)`,
  stateOf: 'SELECT state FROM delivery WHERE id = ?',
  setState: 'UPDATE delivery SET state = ? WHERE id = ?',
  rewind: `
    UPDATE delivery SET state = ?, attempts = 0, losses = 0, suspicion = 0, due_at = ?, overtakable = 0, owner = NULL, settled_at = NULL WHERE id = ?`,

  /**
   * What a clock that was ahead has put off: what was never tried is due now, and a retry after its pause from now on.
   */
  neverTried: `
    UPDATE delivery SET due_at = ? WHERE handler = ? AND ${claimable} AND state = 'pending' AND due_at > ? AND attempts = 0`,
  neverTriedInLine: `
    UPDATE delivery SET due_at = ? WHERE handler = ? AND order_key IS NOT NULL AND state = 'waiting' AND due_at > ? AND attempts = 0`,
  putOff: `
    UPDATE delivery SET due_at = ? + max(0, due_at - (SELECT max(ended_at) FROM attempt WHERE delivery_id = delivery.id))
    WHERE handler = ? AND ${claimable} AND state = 'pending' AND due_at > ? AND attempts > 0
    AND (SELECT max(ended_at) FROM attempt WHERE delivery_id = delivery.id) > ?`,

  /** Adopting is rare and may look at every unsettled delivery. */
  unsettledHandlers: `
    SELECT DISTINCT d.handler, e.source FROM delivery AS d LEFT JOIN event AS e ON e.seq = d.event_seq
    WHERE d.state IN ('pending', 'waiting', 'running', 'parked')`,
  expired: `SELECT id, attempts, due_at, owner FROM delivery WHERE handler = ? AND ${claimable} AND state = 'running' AND due_at <= ? AND ${ofSource}`,
  park: `UPDATE delivery SET state = 'parked' WHERE handler = ? AND state IN ('pending', 'waiting') AND ${ofSource}`,
  unpark: `
    UPDATE delivery SET state = iif(order_key IS NULL, 'pending', 'waiting') WHERE handler = ? AND state = 'parked' AND ${ofSource}`,
  nextWaitingLine: `
    SELECT realm, order_key FROM delivery WHERE handler = ? AND (realm, order_key) > (?, ?) AND order_key IS NOT NULL AND state = 'waiting'
    ORDER BY realm, order_key LIMIT 1`,
  waitingLines:
    "SELECT DISTINCT handler, realm, order_key FROM delivery WHERE handler = ? AND order_key IS NOT NULL AND state = 'waiting'",
  clearHandlers: 'DELETE FROM handler',
  insertHandler: 'INSERT INTO handler (name, source, pattern, ordered) VALUES (?, ?, ?, ?)',
  handlers: 'SELECT name, source, pattern, ordered FROM handler ORDER BY position',
  knowsHandler: 'SELECT 1 FROM handler WHERE name = ? AND source = ?',

  eventById: `
    SELECT seq, realm, id, source, state, type, live_mode, created_time, endpoint, received_at, backfilled, duplicates, conflicts, reason,
      receipt, headers, body
    FROM event WHERE id = ? AND realm = ?`,
  deliveriesOf: `
    SELECT id, handler, state, attempts, losses, due_at, order_key, owner, started_at, settled_at, last_error
    FROM delivery WHERE event_seq = ? ORDER BY id`,
  attemptsOf: 'SELECT attempt, state, started_at, ended_at, error FROM attempt WHERE delivery_id = ? ORDER BY rowid',

  removable: `
    SELECT seq FROM event WHERE id = ? AND realm = ?
    AND NOT EXISTS (SELECT 1 FROM delivery WHERE event_seq = event.seq AND state = 'running')`,
  linesOf: 'SELECT handler, realm, order_key FROM delivery WHERE event_seq = ? AND order_key IS NOT NULL',
  deleteOrphan: 'DELETE FROM delivery WHERE id = ?',
  deleteAttemptsOf: 'DELETE FROM attempt WHERE delivery_id = ?',
  deleteAttempts: 'DELETE FROM attempt WHERE delivery_id IN (SELECT id FROM delivery WHERE event_seq = ?)',
  deleteDeliveries: 'DELETE FROM delivery WHERE event_seq = ?',
  deleteEvent: 'DELETE FROM event WHERE seq = ?',
  oldest: `
    SELECT seq, realm, received_at, created_time, state = 'accepted' AND NOT EXISTS
      (SELECT 1 FROM delivery WHERE event_seq = event.seq AND state <> 'done') AS settled
    FROM event WHERE seq > ? ORDER BY seq LIMIT ?`,

  fillProbe: 'INSERT INTO probe (filler) VALUES (zeroblob(?))',
  clearProbe: 'DELETE FROM probe',

  countEvents: `
    SELECT realm, count(*) FILTER (WHERE state = 'accepted') AS events, count(*) FILTER (WHERE state = 'quarantined') AS quarantined,
           count(*) FILTER (WHERE backfilled) AS backfilled, coalesce(sum(duplicates), 0) AS duplicates, coalesce(sum(conflicts), 0) AS conflicts
    FROM event GROUP BY realm ORDER BY realm`,
  countDeliveries:
    'SELECT realm, handler, state, count(*) AS count FROM delivery GROUP BY realm, handler, state ORDER BY handler',
  /** Looks at the head of the index of each handler that has ever been adopted or still has something unsettled. */
  oldestDue: `
    WITH RECURSIVE name (handler) AS (
      SELECT min(handler) FROM delivery WHERE ${claimable}
      UNION ALL
      SELECT (SELECT min(handler) FROM delivery WHERE ${claimable} AND handler > name.handler) FROM name WHERE handler IS NOT NULL)
    SELECT min((SELECT due_at FROM delivery WHERE handler = name.handler AND ${claimable} AND state = 'pending'
                ORDER BY due_at LIMIT 1)) AS due_at FROM name WHERE handler IS NOT NULL`
} as const

/** Every statement, prepared once for an open file, and the file itself for the one query that is put together. */
export function prepareStatements(db: DatabaseSync) {
  const names = Object.keys(statements) as (keyof typeof statements)[]
  const prepared = names.map((name) => [name, db.prepare(statements[name])] as const)
  return {
    db,
    ...(Object.fromEntries(prepared) as Record<keyof typeof statements, ReturnType<DatabaseSync['prepare']>>)
  }
}

export type Statements = ReturnType<typeof prepareStatements>
