import { blockBits, segmentBits } from '../wanted.ts'

/**
 * The versions of the schema, oldest first. Never edit a released version: append a new one. `riverhook.` stands for
 * the schema, whatever its name is.
 *
 * - Rows of `event` are inserted and deleted, but not updated on a repeat: an update would copy the payload. The number
 *   of repeats is in `repeat`, a narrow table with rows only for events that came again.
 * - `seq` is the event's key, in order of arrival. The id is unique within its realm. The index begins with the id, so
 *   that an id can be found in any realm. If the id is too long for an index, `id` holds its beginning and digest, and
 *   `whole_id` the whole id. `headers` is null if none are kept. `trace` is the `traceparent` of
 *   the request, and after a space its `tracestate`; null without tracing.
 * - `realm` of a delivery is its event's realm: lines of order keys are per realm.
 * - `due_at` of a running delivery is the end of its lease, so one index serves due deliveries and expired leases.
 * - `attempts` counts all runs. `losses` counts the runs that do not count for `retry.attempts`, because their process
 *   died while other deliveries ran in it. `suspicion` counts the runs lost in a row. `on_loss` says what the loss of
 *   the current run would mean (see `OnLoss`).
 * - The partial indexes hold unsettled deliveries only, so claiming costs the same with millions of settled ones. Each
 *   role in the line of an order key has its own index: thousands may wait for one delivery, or have failed and let
 *   others overtake. `attempts >= 0` is always true. It prevents the planner from looking up a key in `delivery_due` or
 *   `delivery_parked`, where it would read every such delivery of the handler: see plan.ts.
 * - `kind` of an event is the digest of its source, realm, type, endpoint and mode. The table `kind` is the dictionary,
 *   with a few hundred rows: see kinds.ts. `handled` has the kinds of the events that a handler has deliveries of.
 * - `event_kind`, `event_received` and `delivery_kind` are for lists and statistics: see list.ts. The condition of
 *   `delivery_kind` is always true. It prevents the planner from looking up an order key there, where it would read
 *   every delivery of the handler. `event_received` is by blocks of events: the order of arrival is almost that of
 *   `seq`, so few blocks begin or end a time.
 * - Statistics read only indexes, if VACUUM has marked the pages of the events as visible to all: so it runs often.
 * - `delivery_error` is for the list of what fails. A delivery that succeeds at once is never in it.
 * - The primary key of `event_key` finds the search keys of an event, to delete them with it. The other index finds the
 *   events of a key in the order of arrival: see key-segments.ts. The collation "C" lets it find the keys with a
 *   beginning.
 * - `minute` of a tally is counted since the epoch. `writer` is the number of the connection's process, or 0 for a row
 *   that was merged. The indexes find the rows that are not merged, or not folded into hours, yet. Rows are updated
 *   often, so pages are filled by half: the new version of a row has room in the page of the old one.
 * - `alarm` has one row: who may raise alarms, until when, and the state of all alarms as JSON. `acknowledged` has the
 *   alarms that a person has acknowledged, each by its condition, its subject, and since when it holds.
 * - `encryption` has one row, if the inbox is or was encrypted: see src/inbox/encryption/state.ts.
 * - `audit` is only appended to.
 * - `job_id` of a delivery is the last job that replayed it: neither that one nor an earlier one replays it again.
 *   `job.given` is the job as JSON, and `cursor` the last event that it is finished with.
 * - A successful attempt is stored in the delivery's own row; `attempt` holds the others.
 * - Each replica has its own handlers: during the rollout of a new version, two sets exist side by side.
 * - Times come from the database, so that machines with different clocks agree on what is due and which leases expired.
 */
export const versions: readonly string[] = [
  `
CREATE SEQUENCE riverhook.event_seq;

CREATE TABLE riverhook.event (
  seq          bigint      PRIMARY KEY,
  realm        text        NOT NULL,
  id           text        NOT NULL,
  whole_id     text,
  source       text        NOT NULL,
  state        text        NOT NULL,
  type         text        NOT NULL,
  live_mode    boolean,
  created_time text,
  resource     text,
  endpoint     text        NOT NULL,
  kind         bigint      NOT NULL,
  received_at  timestamptz NOT NULL,
  backfilled   boolean     NOT NULL,
  reason       text,
  receipt      text        NOT NULL,
  headers      text,
  trace        text,
  body         bytea       NOT NULL
) WITH (autovacuum_vacuum_insert_scale_factor = 0.02);
CREATE UNIQUE INDEX event_id ON riverhook.event (id, realm);
CREATE INDEX event_quarantined ON riverhook.event (seq) WHERE state = 'quarantined';
CREATE INDEX event_kind ON riverhook.event (kind, seq);
CREATE INDEX event_received ON riverhook.event ((seq >> ${blockBits}), received_at, seq);
CREATE INDEX event_backfilled ON riverhook.event (realm) WHERE backfilled;

CREATE TABLE riverhook.kind (
  id       bigint  PRIMARY KEY,
  source   text    NOT NULL,
  realm    text    NOT NULL,
  type     text    NOT NULL,
  endpoint text    NOT NULL,
  live     boolean
);

CREATE TABLE riverhook.handled (
  handler text   NOT NULL,
  kind    bigint NOT NULL,
  PRIMARY KEY (handler, kind)
);

CREATE TABLE riverhook.event_key (
  event_seq bigint NOT NULL,
  value     text   COLLATE "C" NOT NULL,
  PRIMARY KEY (event_seq, value)
);
CREATE INDEX event_key_value ON riverhook.event_key ((event_seq >> ${segmentBits}), value, event_seq);

CREATE TABLE riverhook.repeat (
  event_seq  bigint PRIMARY KEY,
  duplicates integer NOT NULL,
  conflicts  integer NOT NULL
);

CREATE TABLE riverhook.delivery (
  id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_seq   bigint      NOT NULL,
  realm       text        NOT NULL,
  handler     text        NOT NULL,
  state       text        NOT NULL,
  attempts    integer     NOT NULL DEFAULT 0,
  losses      integer     NOT NULL DEFAULT 0,
  suspicion   integer     NOT NULL DEFAULT 0,
  on_loss     text        NOT NULL DEFAULT 'loss',
  due_at      timestamptz NOT NULL,
  order_key   text,
  overtakable boolean     NOT NULL DEFAULT false,
  token       bigint      NOT NULL DEFAULT 0,
  owner       text,
  started_at  timestamptz,
  settled_at  timestamptz,
  last_error  text,
  job_id      bigint
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE UNIQUE INDEX delivery_event ON riverhook.delivery (event_seq, handler);
CREATE INDEX delivery_due ON riverhook.delivery (handler, due_at, id) WHERE state IN ('pending', 'running') AND attempts >= 0;
CREATE INDEX delivery_suspect ON riverhook.delivery (due_at, id) WHERE state = 'pending' AND suspicion > 0;
CREATE INDEX delivery_running ON riverhook.delivery (handler, realm, order_key) WHERE order_key IS NOT NULL AND state = 'running';
CREATE INDEX delivery_head ON riverhook.delivery (handler, realm, order_key, event_seq) WHERE order_key IS NOT NULL AND state = 'pending' AND NOT overtakable;
CREATE INDEX delivery_failed ON riverhook.delivery (handler, realm, order_key, due_at) WHERE order_key IS NOT NULL AND state = 'pending' AND overtakable;
CREATE INDEX delivery_waiting ON riverhook.delivery (handler, realm, order_key, event_seq) WHERE state = 'waiting';
CREATE INDEX delivery_parked ON riverhook.delivery (handler, event_seq) WHERE state = 'parked' AND attempts >= 0;
CREATE INDEX delivery_parked_key ON riverhook.delivery (handler, realm, order_key, event_seq) WHERE order_key IS NOT NULL AND state = 'parked';
CREATE INDEX delivery_kind ON riverhook.delivery (handler, realm, state, event_seq) WHERE event_seq > 0;
CREATE INDEX delivery_error ON riverhook.delivery (event_seq, id) WHERE last_error IS NOT NULL AND state IN ('dead', 'pending', 'waiting');

CREATE TABLE riverhook.attempt (
  id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  delivery_id bigint      NOT NULL,
  attempt     integer     NOT NULL,
  state       text        NOT NULL,
  started_at  timestamptz NOT NULL,
  ended_at    timestamptz NOT NULL,
  error       text
);
CREATE INDEX attempt_delivery ON riverhook.attempt (delivery_id);

CREATE TABLE riverhook.server (
  instance text        PRIMARY KEY,
  owner    text        NOT NULL,
  seen_at  timestamptz NOT NULL
);

CREATE TABLE riverhook.handler (
  instance text    NOT NULL,
  position integer NOT NULL,
  name     text    NOT NULL,
  source   text    NOT NULL,
  pattern  text    NOT NULL,
  ordered  boolean NOT NULL,
  PRIMARY KEY (instance, position)
);

CREATE TABLE riverhook.pause (
  handler text        PRIMARY KEY,
  since   timestamptz NOT NULL
);

CREATE TABLE riverhook.audit (
  seq        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL,
  actor      text        NOT NULL,
  via        text        NOT NULL,
  peer       text,
  request_id text,
  action     text        NOT NULL,
  target     text        NOT NULL,
  count      integer     NOT NULL,
  outcome    text        NOT NULL
);
CREATE INDEX audit_at ON riverhook.audit (at);

CREATE TABLE riverhook.job (
  id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  state           text        NOT NULL,
  given           text        NOT NULL,
  idempotency_key text        UNIQUE,
  cursor          bigint      NOT NULL DEFAULT 0,
  planned         bigint      NOT NULL,
  replayed        bigint      NOT NULL DEFAULT 0,
  created         bigint      NOT NULL DEFAULT 0,
  skipped         bigint      NOT NULL DEFAULT 0,
  refused         bigint      NOT NULL DEFAULT 0,
  token           bigint      NOT NULL DEFAULT 0,
  lease_until     timestamptz,
  owner           text,
  created_at      timestamptz NOT NULL,
  started_at      timestamptz,
  ended_at        timestamptz,
  error           text
);
CREATE INDEX job_open ON riverhook.job (id) WHERE state IN ('waiting', 'running');

CREATE TABLE riverhook.signing (
  one boolean PRIMARY KEY CHECK (one),
  key bytea   NOT NULL
);

CREATE TABLE riverhook.encryption (
  one   boolean PRIMARY KEY CHECK (one),
  state text    NOT NULL
);

CREATE TABLE riverhook.alarm (
  one         boolean     PRIMARY KEY CHECK (one),
  owner       text        NOT NULL,
  token       bigint      NOT NULL,
  lease_until timestamptz NOT NULL,
  state       text
);

CREATE TABLE riverhook.acknowledged (
  condition text        COLLATE "C" NOT NULL,
  subject   text        COLLATE "C" NOT NULL,
  since     timestamptz NOT NULL,
  at        timestamptz NOT NULL,
  PRIMARY KEY (condition, subject, since)
);

CREATE TABLE riverhook.watermark (
  realm text        NOT NULL,
  name  text        NOT NULL,
  at    timestamptz NOT NULL,
  PRIMARY KEY (realm, name)
);

CREATE TABLE riverhook.drift (
  realm    text        NOT NULL,
  type     text        NOT NULL,
  path     text        NOT NULL,
  rule     text        NOT NULL,
  handler  text        NOT NULL,
  count    bigint      NOT NULL,
  first_at timestamptz NOT NULL,
  last_at  timestamptz NOT NULL,
  event_id text        NOT NULL,
  acknowledged_at timestamptz,
  PRIMARY KEY (realm, type, path, rule, handler)
);

CREATE TABLE riverhook.tally (
  kind     text    COLLATE "C" NOT NULL,
  minute   integer NOT NULL,
  name     text    COLLATE "C" NOT NULL,
  outcome  text    COLLATE "C" NOT NULL,
  writer   integer NOT NULL,
  count    bigint  NOT NULL,
  total_ms bigint  NOT NULL,
  max_ms   bigint  NOT NULL,
  PRIMARY KEY (kind, minute, name, outcome, writer)
) WITH (fillfactor = 50);
CREATE INDEX tally_written ON riverhook.tally (minute) WHERE writer <> 0;
CREATE INDEX tally_minute ON riverhook.tally (minute) WHERE writer = 0 AND minute % 60 <> 0;

CREATE TABLE riverhook.probe (filler bytea NOT NULL);
`
]

/** The version that this code reads and writes. */
export const schemaVersion = versions.length
