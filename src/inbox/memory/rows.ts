import type { DeliveryState, EventKey } from '../../model/event.ts'
import type { Job } from '../../model/job.ts'
import type * as contract from '../inbox.ts'

/** The rest of an event whose personal data was erased. */
export interface ErasedArrival extends Omit<contract.QuarantinedArrival, 'state' | 'reason'> {
  readonly state: 'erased'
  readonly type: string
  readonly liveMode: boolean | undefined
  readonly createdTime: string | undefined
}

/** An event or a quarantined request, with its deliveries. */
export interface Row {
  readonly seq: number
  arrival: contract.Arrival | ErasedArrival
  /** The search keys, sorted by code point. */
  about: readonly string[]
  resource: string | undefined
  duplicates: number
  conflicts: number
  readonly deliveries: Delivery[]
}

export interface Delivery {
  readonly id: number
  readonly row: Row
  readonly handler: string
  orderKey: string | undefined
  state: DeliveryState
  attempts: number
  losses: number
  /** Runs lost in a row. */
  suspicion: number
  onLoss: contract.OnLoss
  dueAt: number
  token: number
  leaseUntil: number
  owner: string | undefined
  /** A failed delivery that lets later ones of its key overtake (`onFailure: 'skip'`). */
  overtakable: boolean
  lastError: string | undefined
  settledAt: number | undefined
  /** The last job that replayed it. */
  jobId: number | undefined
  readonly attemptLog: contract.AttemptRecord[]
}

/** A job, with what its holder needs. */
export interface JobRow {
  job: Job
  cursor: number
  token: number
  leaseUntil: number
}

/** The state of the alarms, and who may change it. */
export interface AlarmRow {
  readonly owner: string
  readonly token: number
  readonly leaseUntil: number
  readonly state: string | undefined
}

/** Converts an event's key to the text by which the store finds the event. */
export function keyText({ realm, id }: EventKey): string {
  return JSON.stringify([realm, id])
}

/** Sorts search keys as the SQL engines do: by code point, not by UTF-16 unit. */
export function sortKeys(keys: readonly string[] = []): readonly string[] {
  return keys.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
}

/** Creates a pending delivery that has not run yet. */
export function createDelivery(given: Pick<Delivery, 'id' | 'row' | 'handler' | 'orderKey' | 'dueAt'>): Delivery {
  return {
    ...given,
    state: 'pending',
    attempts: 0,
    losses: 0,
    suspicion: 0,
    onLoss: 'loss',
    token: 0,
    leaseUntil: 0,
    owner: undefined,
    overtakable: false,
    lastError: undefined,
    settledAt: undefined,
    jobId: undefined,
    attemptLog: []
  }
}

/** A function, because TypeScript does not see that a call has changed the state. */
export function isPending({ state }: Delivery): boolean {
  return state === 'pending'
}

export function isExpired(delivery: Delivery, now: number): boolean {
  return delivery.state === 'running' && delivery.leaseUntil <= now
}
