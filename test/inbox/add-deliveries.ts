import { run } from './postgres-server.ts'

/**
 * Adds events to PostgreSQL, each with a delivery to the handler `ship`, without the inbox, which would take longer.
 * @param range the numbers of the first and the last event, which are their ids
 * @param key the order key, an expression of SQL; `n` is the number of the event
 */
export async function addDeliveries(
  url: string,
  [first, last]: readonly [number, number],
  state: string,
  key = 'NULL'
): Promise<void> {
  await run(
    url,
    `WITH event AS (
       INSERT INTO riverhook.event (seq, realm, id, source, state, type, endpoint, kind, received_at, backfilled, receipt, body)
       SELECT nextval('riverhook.event_seq'), 'digital-river', n, 'digital-river', 'accepted', 'order.accepted', '/', 0, now(), false, '{"checks":[]}', 'x'
       FROM generate_series(${first}, ${last}) AS n RETURNING seq, id::integer AS n)
     INSERT INTO riverhook.delivery (event_seq, realm, handler, state, due_at, order_key)
     SELECT seq, 'digital-river', 'ship', '${state}', now(), ${key} FROM event ORDER BY seq`
  )
}
