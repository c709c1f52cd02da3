import type { QuietHours } from '../../model/quiet-hours.ts'
import type { Inbox } from '../../inbox/inbox.ts'
import type { RetentionSpans } from '../../model/retention-spans.ts'

/** An endpoint as the conditions see it. */
export interface AlarmEndpoint {
  readonly path: string
  readonly realm: string
  /** How often the provider's list is read. Undefined: it is not. */
  readonly backfillEveryMs: number | undefined
  /** The name of the watermark that says how far it was read. */
  readonly backfillMark: string
  /** The name of the watermark that says when it was found that the provider no longer lists missed events. */
  readonly gapMark: string
  /** Whether its webhook at the provider is watched. */
  readonly isRegistered: boolean
  /** Counts the events that the provider lists and the inbox does not have. Undefined: there is no key to ask with. */
  readonly countMissing:
    | ((span: { readonly since: Date; readonly until: Date; readonly signal: AbortSignal }) => Promise<number>)
    | undefined
}

/** The receiver that the conditions are about. */
export interface AlarmSubject {
  readonly inbox: Pick<Inbox, 'levels' | 'tally' | 'events' | 'drifts' | 'watermark'>
  readonly endpoints: readonly AlarmEndpoint[]
  /** The free part of the inbox's disk, and why the inbox cannot be written to. */
  readonly health: () => Promise<{ readonly freeShare?: number | undefined; readonly detail?: string | undefined }>
  readonly registrations: () => readonly {
    readonly endpoint: string
    readonly state: string
    readonly lastError: string | undefined
  }[]
  readonly maxBacklogAgeMs: number
  readonly retention: RetentionSpans
  /** How long the silence of an endpoint may last. Undefined: learnt from its past. */
  readonly silenceMs: number | undefined
  /** Hours that do not count as silence. */
  readonly quietHours: QuietHours | undefined
}
