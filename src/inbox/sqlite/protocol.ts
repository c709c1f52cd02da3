import type { MessagePort } from 'node:worker_threads'

import type { AlarmKey } from '../../model/alarm.ts'
import type { Act, ActResult, AuditEntry } from '../../model/audit.ts'
import type { EventKey, EventState } from '../../model/event.ts'
import type { Job, NewJob } from '../../model/job.ts'
import type { CountedRequests, TallyQuery, TallyRow } from '../../model/tally.ts'
import type * as contract from '../inbox.ts'
import { packHeaders } from '../rows.ts'
import type { FileSettings, Scrubbed } from './database.ts'
import { packKeys } from './search-keys.ts'

/**
 * The calls of the engine to its worker thread. Recording is the hot path: arrivals are sent as tuples, and all bodies
 * of a call in one transferred buffer. Cloning a Buffer would copy the whole pool that it is a slice of.
 */
export interface Operations {
  record: {
    args: RecordArgs
    result: {
      results: contract.RecordResult[]
      claim: contract.Claim
      claimed: contract.NewLease[]
      due: boolean
    }
  }
  known: { args: { realm: string; ids: readonly string[] }; result: ReadonlySet<string> }
  now: { args: undefined; result: Date }
  watermark: { args: { realm: string; name: string }; result: Date | undefined }
  watermarks: { args: undefined; result: contract.Watermark[] }
  restore: { args: readonly contract.EventDetail[]; result: number }
  advance: { args: { realm: string; name: string; to: Date }; result: undefined }
  flag: { args: readonly contract.Mismatch[]; result: undefined }
  drifts: { args: undefined; result: contract.Mismatch[] }
  acknowledge: {
    args: { kinds: readonly contract.MismatchKind[]; isAcknowledged: boolean; act: Act | undefined }
    result: number
  }
  adopt: { args: readonly contract.HandlerRecord[]; result: contract.Adopted }
  handlers: { args: undefined; result: contract.HandlerRecord[] }
  pause: { args: { handler: string; act: Act | undefined }; result: boolean }
  resume: { args: { handler: string; act: Act | undefined }; result: boolean }
  pauses: { args: undefined; result: contract.Pause[] }
  claim: { args: contract.ClaimRequest; result: contract.Claim }
  suspects: { args: readonly contract.HandlerName[]; result: contract.Suspect[] }
  claimSuspects: { args: contract.ClaimSuspectsRequest; result: contract.ClaimedDelivery[] }
  extend: {
    args: { leases: readonly contract.Lease[]; leaseMs: number; onLoss: contract.OnLoss | undefined }
    result: number[]
  }
  settle: { args: PackedSettlements; result: { stale: readonly number[]; due: boolean } }
  replay: { args: { targets: readonly contract.ReplayTarget[]; act: Act | undefined }; result: contract.ReplayResult[] }
  admit: { args: { requests: readonly contract.Admission[]; act: Act | undefined }; result: contract.AdmitResult[] }
  signingKey: { args: Uint8Array; result: Uint8Array }
  encryption: { args: undefined; result: string | undefined }
  saveEncryption: { args: { expected: string | undefined; state: string | undefined }; result: boolean }
  reseal: { args: readonly contract.Resealing[]; result: number }
  position: { args: undefined; result: number }
  addJob: { args: { job: NewJob; act: Act | undefined }; result: contract.AddedJob }
  jobs: { args: contract.JobsRequest; result: Job[] }
  job: { args: number; result: Job | undefined }
  stopJob: { args: { id: number; act: Act | undefined }; result: boolean }
  claimJob: { args: contract.JobClaim; result: contract.ClaimedJob | undefined }
  replayInJob: {
    args: { lease: contract.JobLease; targets: readonly contract.ReplayTarget[] }
    result: contract.JobReplayResult[] | undefined
  }
  advanceJob: { args: { lease: contract.JobLease; progress: contract.JobProgress }; result: boolean }
  endJob: { args: { lease: contract.JobLease; end: contract.JobEnd }; result: boolean }
  events: { args: contract.EventFilter; result: contract.EventPage }
  event: { args: EventKey; result: contract.EventDetail | undefined }
  reindex: { args: readonly contract.IndexEntry[]; result: number }
  tally: { args: TallyQuery; result: TallyRow[] }
  countRequests: { args: readonly CountedRequests[]; result: undefined }
  holdAlarms: { args: contract.AlarmHold; result: contract.HeldAlarms }
  saveAlarms: { args: contract.AlarmSave; result: boolean }
  alarmState: { args: undefined; result: contract.StoredAlarms }
  acknowledgeAlarms: {
    args: { alarms: readonly AlarmKey[]; isAcknowledged: boolean; act: Act | undefined }
    result: number
  }
  pruneTally: { args: contract.PruneTallyRequest; result: boolean }
  remove: { args: { targets: readonly contract.RemovalTarget[]; act: Act | undefined }; result: number }
  erase: { args: { targets: readonly contract.RemovalTarget[]; act: Act | undefined }; result: number }
  scrub: { args: undefined; result: Scrubbed }
  stats: { args: undefined; result: contract.InboxStats }
  levels: { args: undefined; result: contract.InboxLevels }
  lengths: { args: undefined; result: contract.AttemptLengths[] }
  probe: { args: undefined; result: contract.Backlog }
  prune: { args: contract.PruneRequest; result: contract.PruneResult }
  audit: { args: { act: Act; result: ActResult }; result: undefined }
  failed: { args: { limit: number }; result: contract.FailedDelivery[] }
  retries: { args: undefined; result: contract.RetryCount[] }
  audits: { args: contract.AuditFilter; result: contract.AuditPage }
  restoreAudits: { args: readonly AuditEntry[]; result: undefined }
  restoreTally: { args: readonly TallyRow[]; result: undefined }
  pruneAudits: { args: contract.AuditPruneRequest; result: number }
}

export type OperationName = keyof Operations

/** The calls that run in a transaction. */
export type TransactionName = Exclude<OperationName, 'scrub'>

/** The calls for people: those to the reader. */
export type ReadName =
  | 'watermarks'
  | 'drifts'
  | 'handlers'
  | 'events'
  | 'event'
  | 'tally'
  | 'alarmState'
  | 'stats'
  | 'levels'
  | 'lengths'
  | 'jobs'
  | 'job'
  | 'audits'
  | 'failed'
  | 'retries'

export interface Call<Name extends OperationName = OperationName> {
  readonly callId: number
  readonly name: Name
  readonly args: Operations[Name]['args']
  /** Milliseconds since the epoch, by the engine's clock. */
  readonly now: number
}

/** A message from the engine. */
export type Message = readonly Call[] | { readonly name: 'open'; readonly now: number } | { readonly name: 'close' }

export type Answer =
  | { readonly callId: number; readonly result: unknown }
  | { readonly callId: number; readonly error: ErrorMessage }
  /** Only from the reader: it does not have the server's file. */
  | { readonly callId: number; readonly isLost: true }

export interface ErrorMessage {
  readonly code: string
  readonly message: string
}

/** A message from a thread. */
export type Reply =
  | readonly Answer[]
  | { readonly opened: true; readonly notes: readonly contract.InboxNote[] }
  | { readonly opened: false; readonly error: ErrorMessage }
  /** A descriptor of the inbox file that must stay open: see open-files.ts. */
  | { readonly descriptor: number }

/** The data that the thread is started with. */
export interface ThreadData {
  readonly settings: FileSettings
  readonly port: MessagePort
  /** True if the file may be created: only at the first start. */
  readonly mayCreate: boolean
  /** The time limit of a call to the reader. */
  readonly readLimitMs: number
}

export interface RecordArgs {
  readonly arrivals: readonly PackedArrival[]
  readonly bodies: Uint8Array
  /** Undefined: claim nothing. */
  readonly request: contract.ClaimRequest | undefined
}

/** The columns of an event, except its body and counts, in the order of the parameters of `insertEvent`. */
export type EventColumns = readonly [
  realm: string,
  id: string,
  source: string,
  state: EventState,
  type: string,
  liveMode: number | null,
  createdTime: string | null,
  endpoint: string,
  receivedAt: number,
  reason: string | null,
  receipt: string,
  headers: string | null,
  backfilled: 0 | 1,
  about: string | null,
  resource: string | null,
  trace: string | null
]

/** An arrival without its body. */
export type PackedArrival = readonly [
  columns: EventColumns,
  bodyEnd: number,
  deliveries: readonly contract.NewDelivery[]
]

/** Converts arrivals to a message for the worker. */
export function packArrivals(arrivals: readonly contract.Arrival[], request?: contract.ClaimRequest): RecordArgs {
  const bodies = new Uint8Array(arrivals.reduce((sum, { body }) => sum + body.byteLength, 0))
  let end = 0
  const packed = arrivals.map((arrival): PackedArrival => {
    bodies.set(arrival.body, end)
    end += arrival.body.byteLength
    const columns = packEvent(arrival, arrival.receipt.backfilled === true)
    return [columns, end, arrival.state === 'accepted' ? arrival.deliveries : []]
  })
  return { arrivals: packed, bodies, request }
}

/** The fields that an arrival and a restored event share. Only quarantined requests have a reason, and no type. */
type PackedEvent = Pick<
  contract.EventDetail,
  'realm' | 'id' | 'source' | 'state' | 'endpoint' | 'receivedAt' | 'receipt' | 'headers'
> &
  Partial<Pick<contract.EventDetail, 'type' | 'liveMode' | 'createdTime' | 'reason'>> & {
    readonly about?: readonly string[] | undefined
    readonly resource?: string | undefined
    readonly trace?: string | undefined
  }

/** Converts an event to its columns. */
export function packEvent(event: PackedEvent, backfilled: boolean): EventColumns {
  const { realm, id, source, state, type = '', liveMode, createdTime, endpoint, receivedAt, reason } = event
  return [
    realm,
    id,
    source,
    state,
    type,
    packFlag(liveMode),
    createdTime ?? null,
    endpoint,
    receivedAt.getTime(),
    reason ?? null,
    JSON.stringify(event.receipt),
    packHeaders(event.headers),
    backfilled ? 1 : 0,
    packKeys(event.about ?? []),
    event.resource ?? null,
    event.trace ?? null
  ]
}

/** Converts a flag to its stored form. */
export function packFlag(flag: boolean | undefined): number | null {
  return flag === undefined ? null : Number(flag)
}

/** Outcomes. Most are `done`, and these are sent as numbers: cloning the objects would take several times as long. */
export interface PackedSettlements {
  /**
   * The id, token, start and end of each, with times in milliseconds since the epoch. The id is 0 for the next one of
   * `others`.
   */
  readonly numbers: Float64Array
  readonly others: readonly contract.Settlement[]
}

const numbersPerSettlement = 4

/** Converts outcomes to a message for the worker. */
export function packSettlements(settlements: readonly contract.Settlement[]): PackedSettlements {
  const numbers = new Float64Array(settlements.length * numbersPerSettlement)
  const others: contract.Settlement[] = []
  let at = 0
  for (const settlement of settlements) {
    const { id, token, outcome, startedAt, endedAt } = settlement
    if (outcome.state === 'done' && id !== 0) {
      numbers[at] = id
      numbers[at + 1] = token
      numbers[at + 2] = startedAt.getTime()
      numbers[at + 3] = endedAt.getTime()
    } else others.push(settlement)
    at += numbersPerSettlement
  }
  return { numbers, others }
}

/** Reverses `packSettlements`, without the order keys of those that are `done`: the worker reads them. */
export function unpackSettlements({ numbers, others }: PackedSettlements): contract.Settlement[] {
  let other = 0
  return Array.from({ length: numbers.length / numbersPerSettlement }, (_, index): contract.Settlement => {
    const at = index * numbersPerSettlement
    const [id = 0, token = 0, startedAt = NaN, endedAt = NaN] = numbers.subarray(at, at + numbersPerSettlement)
    if (id === 0) return others[other++] as contract.Settlement
    return { id, token, outcome: done, startedAt: new Date(startedAt), endedAt: new Date(endedAt) }
  })
}

const done = { state: 'done' } as const
