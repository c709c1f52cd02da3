import type { DatabaseSync } from 'node:sqlite'

import { fingerprint } from '../schema-fingerprint.ts'
import { largeOf, smallOf } from './key-segments.ts'
import { indexKindsOf, kindsOf } from './list-index.ts'

/**
 * The versions of the file, oldest first. `PRAGMA user_version` is the number of versions applied. Never edit a version
 * that was released: add a new one.
 *
 * - The primary key of an event is an append-only integer. Its id and realm have a separate unique index. Random ids as
 *   the clustered key took 40 % of the throughput. The id is the first column of the index, to find an id in all
 *   realms.
 * - A `seq` is never reused (AUTOINCREMENT), even if the newest event was removed: jobs, pages and tails remember it.
 *   Otherwise, a job could replay an event that arrived after the job was planned. Costs 0.3 µs of CPU an event.
 * - `headers` is NULL if none are kept. A delivery has the realm of its event, because order keys are per realm.
 * - `trace` is the `traceparent` of the request, and after a space its `tracestate`; NULL without tracing.
 * - `body` is the last column, so that lists can be read without it.
 * - `due_at` of a running delivery is the end of its lease. So one index finds due deliveries and expired leases.
 * - `attempts` counts all runs. `losses` counts the runs that do not count for `retry.attempts`, because their process
 *   died while other deliveries ran in it. `suspicion` counts the runs lost in a row. `on_loss` is the meaning of a
 *   loss of the current run (see `OnLoss`).
 * - The partial indexes have no deliveries that are done, so that millions of these do not slow down claims. Each
 *   role in the line of an order key has its own index, so that thousands of failed or waiting deliveries do not slow
 *   down the search for the next one.
 * - `event_key`, `event_kind` and `event_block` are the indexes of lists, of the events up to `list_index.seq`: see
 *   list-index.ts. The triggers keep them true if an event is removed or changed, also by hand.
 * - A row of `kind` with a handler is for the deliveries of that handler. `event_kind` has one entry for each event,
 *   and one for each delivery. A kind is deleted with its last entry: looking for empty kinds reads a page for each.
 * - No index has an entry for each delivery that is done: it would change with every attempt. The indexes of the other
 *   states end with columns that lists and statistics read.
 * - `delivery_error` is for the list of what fails. A delivery that succeeds at once is never in it.
 * - Delivery ids are never reused (AUTOINCREMENT). Otherwise, an old fencing token could match a later delivery.
 * - `job_id` of a delivery is the last job that replayed it: neither that one nor an earlier one replays it again.
 *   `job.given` is the job as JSON, and `cursor` the last event that it is finished with. Ids of jobs are never reused.
 * - `layout.fingerprint` identifies the text of these versions: see schema-fingerprint.ts.
 * - `server.lock` is the inode of the lock file that the last server held: see lock.ts.
 * - `about` is the list of search keys, in JSON; NULL if there are none. `event_key` finds the events of a key in the
 *   order of arrival. It is divided into segments, so that new keys change few pages, however many events there are:
 *   see key-segments.ts, also for the other columns of `list_index`.
 * - `minute` of a tally is counted since the epoch. `tally_minute` finds the rows that are not folded into hours yet.
 * - `alarm` has one row: who may raise alarms, until when, and the state of all alarms as JSON. `acknowledged` has the
 *   alarms that a person has acknowledged, each by its condition, its subject, and since when it holds.
 * - `encryption` has one row, if the inbox is or was encrypted: see src/inbox/encryption/state.ts.
 * - `audit` is only appended to. Its numbers are never reused (AUTOINCREMENT), so that a gap shows a deleted entry.
 * - A successful attempt is stored in the row of the delivery, and all others in the table `attempt`. That saves an
 *   insert for each delivery that succeeds at once.
 */
export const versions: readonly string[] = [
  `
  CREATE TABLE event (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    realm        TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    type         TEXT    NOT NULL,
    live_mode    INTEGER,
    created_time TEXT,
    endpoint     TEXT    NOT NULL,
    received_at  INTEGER NOT NULL,
    duplicates   INTEGER NOT NULL DEFAULT 0,
    conflicts    INTEGER NOT NULL DEFAULT 0,
    reason       TEXT,
    receipt      TEXT    NOT NULL,
    headers      TEXT,
    backfilled   INTEGER NOT NULL DEFAULT 0,
    about        TEXT,
    resource     TEXT,
    trace        TEXT,
    body         BLOB    NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX event_id ON event (id, realm);
  CREATE INDEX event_quarantined ON event (seq) WHERE state = 'quarantined';
  CREATE INDEX event_repeated ON event (realm, backfilled, duplicates, conflicts) WHERE backfilled OR duplicates > 0;

  CREATE TABLE event_key (
    segment   INTEGER NOT NULL,
    value     TEXT    NOT NULL,
    event_seq INTEGER NOT NULL,
    PRIMARY KEY (segment, value, event_seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE kind (
    id       INTEGER PRIMARY KEY,
    source   TEXT    NOT NULL,
    realm    TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    endpoint TEXT    NOT NULL,
    live     INTEGER,
    handler  TEXT
  ) STRICT;
  CREATE INDEX kind_columns ON kind (source, realm, type, endpoint, live, handler);
  CREATE INDEX kind_handler ON kind (handler, type);

  CREATE TABLE event_kind (
    kind      INTEGER NOT NULL,
    event_seq INTEGER NOT NULL,
    PRIMARY KEY (kind, event_seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE event_block (
    number   INTEGER PRIMARY KEY,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE list_index (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    seq          INTEGER NOT NULL,
    merged       INTEGER NOT NULL DEFAULT 0,
    emptied      INTEGER NOT NULL DEFAULT 0,
    copied_value TEXT    NOT NULL DEFAULT '',
    copied_seq   INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO list_index (one, seq) VALUES (1, 0);

  CREATE TABLE delivery (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    event_seq   INTEGER NOT NULL,
    realm       TEXT    NOT NULL,
    handler     TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    losses      INTEGER NOT NULL DEFAULT 0,
    suspicion   INTEGER NOT NULL DEFAULT 0,
    on_loss     TEXT    NOT NULL DEFAULT 'loss',
    due_at      INTEGER NOT NULL,
    order_key   TEXT,
    overtakable INTEGER NOT NULL DEFAULT 0,
    token       INTEGER NOT NULL DEFAULT 0,
    owner       TEXT,
    started_at  INTEGER,
    settled_at  INTEGER,
    last_error  TEXT,
    job_id      INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX delivery_event ON delivery (event_seq, handler);
  CREATE INDEX delivery_due ON delivery (handler, due_at, id, state, realm, event_seq) WHERE state IN ('pending', 'running');
  CREATE INDEX delivery_suspect ON delivery (due_at, id) WHERE state = 'pending' AND suspicion > 0;
  CREATE INDEX delivery_running ON delivery (handler, realm, order_key) WHERE order_key IS NOT NULL AND state = 'running';
  CREATE INDEX delivery_head ON delivery (handler, realm, order_key, event_seq) WHERE order_key IS NOT NULL AND state = 'pending' AND overtakable = 0;
  CREATE INDEX delivery_failed ON delivery (handler, realm, order_key, due_at) WHERE order_key IS NOT NULL AND state = 'pending' AND overtakable = 1;
  CREATE INDEX delivery_waiting ON delivery (handler, realm, order_key, event_seq) WHERE order_key IS NOT NULL AND state = 'waiting';
  CREATE INDEX delivery_error ON delivery (event_seq) WHERE last_error IS NOT NULL AND state IN ('dead', 'pending', 'waiting');
  CREATE INDEX delivery_dead ON delivery (handler, event_seq, realm) WHERE state = 'dead';
  CREATE INDEX delivery_parked ON delivery (handler, realm, order_key, event_seq) WHERE state = 'parked';

  CREATE TRIGGER event_removed AFTER DELETE ON event BEGIN
    DELETE FROM event_key WHERE segment IN (${smallOf('OLD.seq')}, ${largeOf('OLD.seq')}) AND event_seq = OLD.seq AND value IN (SELECT value FROM json_each(OLD.about));
    DELETE FROM event_kind WHERE event_seq = OLD.seq AND kind IN (SELECT id FROM ${kindsOf('OLD', 'NULL')});
  END;
  CREATE TRIGGER event_changed AFTER UPDATE OF source, realm, type, endpoint, live_mode ON event WHEN NEW.seq <= (SELECT seq FROM list_index) BEGIN
    DELETE FROM event_kind WHERE event_seq = OLD.seq AND kind IN (SELECT id FROM ${kindsOf('OLD')});
    ${indexKindsOf('NEW.seq')};
  END;
  CREATE TRIGGER delivery_removed AFTER DELETE ON delivery BEGIN
    DELETE FROM event_kind WHERE event_seq = OLD.event_seq AND kind IN (
      SELECT kind.id FROM event CROSS JOIN ${kindsOf('event', 'OLD.handler')} AND event.seq = OLD.event_seq
      UNION ALL SELECT id FROM kind
      WHERE handler = OLD.handler AND realm = OLD.realm AND NOT EXISTS (SELECT 1 FROM event WHERE seq = OLD.event_seq));
  END;
  CREATE TRIGGER kind_emptied AFTER DELETE ON event_kind WHEN NOT EXISTS (SELECT 1 FROM event_kind WHERE kind = OLD.kind) BEGIN
    DELETE FROM kind WHERE id = OLD.kind;
  END;

  CREATE TABLE attempt (
    delivery_id INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    error       TEXT
  ) STRICT;
  CREATE INDEX attempt_delivery ON attempt (delivery_id);

  CREATE TABLE handler (
    position INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    pattern  TEXT    NOT NULL,
    ordered  INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE pause (
    handler TEXT    PRIMARY KEY,
    since   INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    via        TEXT    NOT NULL,
    peer       TEXT,
    request_id TEXT,
    action     TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    count      INTEGER NOT NULL,
    outcome    TEXT    NOT NULL
  ) STRICT;
  CREATE INDEX audit_at ON audit (at);

  CREATE TABLE job (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    state           TEXT    NOT NULL,
    given           TEXT    NOT NULL,
    idempotency_key TEXT    UNIQUE,
    cursor          INTEGER NOT NULL DEFAULT 0,
    planned         INTEGER NOT NULL,
    replayed        INTEGER NOT NULL DEFAULT 0,
    created         INTEGER NOT NULL DEFAULT 0,
    skipped         INTEGER NOT NULL DEFAULT 0,
    refused         INTEGER NOT NULL DEFAULT 0,
    token           INTEGER NOT NULL DEFAULT 0,
    lease_until     INTEGER,
    owner           TEXT,
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    ended_at        INTEGER,
    error           TEXT
  ) STRICT;
  CREATE INDEX job_open ON job (id) WHERE state IN ('waiting', 'running');

  CREATE TABLE signing (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    key BLOB    NOT NULL
  ) STRICT;

  CREATE TABLE encryption (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    state TEXT    NOT NULL
  ) STRICT;

  CREATE TABLE server (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    owner    TEXT    NOT NULL,
    instance TEXT    NOT NULL,
    since    INTEGER NOT NULL,
    lock     INTEGER
  ) STRICT;

  CREATE TABLE alarm (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    owner       TEXT    NOT NULL,
    token       INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    state       TEXT
  ) STRICT;

  CREATE TABLE acknowledged (
    condition TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    since     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (condition, subject, since)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE layout (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    fingerprint TEXT    NOT NULL
  ) STRICT;

  CREATE TABLE probe (filler BLOB NOT NULL) STRICT;

  CREATE TABLE watermark (
    realm TEXT    NOT NULL,
    name  TEXT    NOT NULL,
    at    INTEGER NOT NULL,
    PRIMARY KEY (realm, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE drift (
    realm    TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    path     TEXT    NOT NULL,
    rule     TEXT    NOT NULL,
    handler  TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    event_id TEXT    NOT NULL,
    acknowledged_at INTEGER,
    PRIMARY KEY (realm, type, path, rule, handler)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tally (
    kind     TEXT    NOT NULL,
    minute   INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    outcome  TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    total_ms INTEGER NOT NULL,
    max_ms   INTEGER NOT NULL,
    PRIMARY KEY (kind, minute, name, outcome)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tally_minute ON tally (minute) WHERE minute % 60 <> 0;
  `
]

/** The version that this code reads and writes. */
export const schemaVersion = versions.length

/** The `fingerprint` of all versions. Written here, because to load `node:crypto` for it takes milliseconds. */
export const schemaFingerprint = 'f93ef5f7b31abfa3'

/** Reads the version of an open file; 0 for an empty one. */
export function readVersion(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
}

/** Upgrades the file to `schemaVersion`, in one transaction per version. */
export function migrate(db: DatabaseSync): void {
  for (let version = readVersion(db); version < versions.length; version += 1) {
    db.exec(`BEGIN IMMEDIATE; ${versions[version] ?? ''}; PRAGMA user_version = ${version + 1};
      INSERT OR REPLACE INTO layout VALUES (1, '${fingerprintOf(version + 1)}'); COMMIT`)
  }
}

/** True if the tables of the file are those that this code creates for its version. */
export function isOfThisBuild(db: DatabaseSync): boolean {
  const version = readVersion(db)
  if (version === 0) return true
  const hasLayout = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'layout'").get() !== undefined
  return hasLayout && db.prepare('SELECT fingerprint FROM layout').get()?.['fingerprint'] === fingerprintOf(version)
}

function fingerprintOf(version: number): string {
  return version === schemaVersion ? schemaFingerprint : fingerprint(versions.slice(0, version))
}
