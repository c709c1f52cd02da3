import { admit } from './admit.ts'
import { acknowledgeAlarms, findAlarmState, holdAlarms, saveAlarms } from './alarms.ts'
import { adopt, listHandlers } from './adopt.ts'
import { audit, listAudits, pruneAudits, restoreAudits } from './audit.ts'
import { claim, claimSuspects, findSuspects } from './claim.ts'
import { findEncryption, reseal, saveEncryption } from './encryption.ts'
import { erase } from './erase.ts'
import { addJob, advanceJob, claimJob, endJob, findJob, findPosition, listJobs, replayInJob, stopJob } from './jobs.ts'
import { countRetries, listFailed } from './failed.ts'
import { readLengths } from './lengths.ts'
import { readLevels } from './levels.ts'
import { listEvents } from './list.ts'
import { acknowledge, flag, listDrifts } from './mismatches.ts'
import { listPauses, pause, resume } from './pause.ts'
import { probe } from './probe.ts'
import type { Operations, TransactionName } from './protocol.ts'
import { prune, remove } from './prune.ts'
import { countAll, findEvent } from './read.ts'
import { findKnown, record } from './record.ts'
import { reindex } from './reindex.ts'
import { replay } from './replay.ts'
import { restore } from './restore.ts'
import { extend, settle } from './settle.ts'
import { findSigningKey } from './signing.ts'
import type { Statements } from './statements.ts'
import { countRequests, listTally, pruneTally, restoreTally } from './tally.ts'
import { advance, findWatermark, listWatermarks } from './watermarks.ts'

export type { Statements } from './statements.ts'

/**
 * The operations of the worker. Each runs in the transaction of its caller. The files imported here have the operations
 * with their SQL. `now` is in milliseconds since the epoch.
 */
export const operations: {
  readonly [Name in TransactionName]: (
    sql: Statements,
    args: Operations[Name]['args'],
    now: number
  ) => Operations[Name]['result']
} = {
  record,
  known: findKnown,
  now: (_sql, _args, now) => new Date(now),
  watermark: findWatermark,
  watermarks: listWatermarks,
  restore,
  advance,
  flag,
  drifts: listDrifts,
  acknowledge,
  adopt,
  handlers: listHandlers,
  pause,
  resume,
  pauses: listPauses,
  claim,
  suspects: findSuspects,
  claimSuspects,
  extend,
  settle,
  replay,
  signingKey: findSigningKey,
  encryption: findEncryption,
  saveEncryption,
  reseal,
  position: findPosition,
  addJob,
  jobs: listJobs,
  job: findJob,
  stopJob,
  claimJob,
  replayInJob,
  advanceJob,
  endJob,
  admit,
  events: listEvents,
  event: findEvent,
  reindex,
  remove,
  erase,
  tally: listTally,
  countRequests,
  pruneTally,
  holdAlarms,
  saveAlarms,
  alarmState: findAlarmState,
  acknowledgeAlarms,
  stats: countAll,
  levels: readLevels,
  lengths: readLengths,
  probe,
  prune,
  audit,
  audits: listAudits,
  failed: listFailed,
  retries: countRetries,
  restoreAudits,
  restoreTally,
  pruneAudits
}
