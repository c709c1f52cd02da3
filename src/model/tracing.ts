import type { CommittedMessage } from './channels.ts'
import type { RiverhookErrorCode } from './errors.ts'
import type { Outcome } from './event.ts'

// The contract between the parts of a receiver and OpenTelemetry. Without an SDK, they get `undefined`.

/** The ids of a span, for a log line. */
export interface SpanIds {
  readonly trace_id: string
  readonly span_id: string
}

/** Creates the spans of a receiver. Nothing here throws. */
export interface Tracing {
  /** The ids of the active span. Undefined if there is none. */
  activeIds(): SpanIds | undefined
  /** The same, if the span is sampled: its trace can be looked at. */
  sampledIds(): SpanIds | undefined
  /** The context of the active span in stored form: see `readTrace`. Undefined if there is none. */
  activeTrace(): string | undefined
  /** Adds to the active span, that of the host, how a request was answered. */
  answered(answer: TracedAnswer): void
  /** Begins the span of an event that is given to the inbox, as a child of the active span. */
  send(sent: TracedArrival, headers: TraceHeaders): SendSpan
  /** Begins the span of an attempt. */
  process(delivery: TracedDelivery, startedAt: number): AttemptSpan
  /** Runs work of the background in a span that is the root of a trace. */
  background<Result>(work: BackgroundWork, run: () => Promise<Result>): Promise<Result>
}

/** Returns the tracing of a receiver. Undefined without an SDK, and before the start. */
export type FindTracing = () => Tracing | undefined

export interface TracedAnswer {
  readonly endpoint: string
  readonly result: string
  readonly code: RiverhookErrorCode | undefined
}

/** Headers in lower case: `traceparent` and `tracestate` are read. */
export type TraceHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

export interface TracedArrival {
  readonly realm: string
  readonly id: string
  /** Undefined if the request is quarantined. */
  readonly type?: string | undefined
  readonly endpoint: string
  readonly body: Uint8Array
}

export interface SendSpan {
  readonly ids: SpanIds | undefined
  /** Its context in stored form: the one that attempts link to. Undefined if it has none. */
  readonly trace: string | undefined
  end(ending: SendEnding): void
}

export interface SendEnding {
  /** Undefined if it failed. */
  readonly result?: string | undefined
  /** The commit that stored the event, with others. */
  readonly commit?: CommittedMessage | undefined
  readonly error?: unknown
}

/** The delivery of an attempt, as it was claimed. */
export interface TracedDelivery {
  readonly id: number
  readonly handler: string
  readonly orderKey?: string | undefined
  readonly attempt: number
  /** The job that replayed it last. */
  readonly replay?: { readonly trace?: string | undefined } | undefined
  readonly event: TracedArrival & { readonly receivedAt: Date; readonly trace?: string | undefined }
}

export interface AttemptSpan {
  readonly ids: SpanIds | undefined
  /** Calls a function with the span as the active one. */
  run<Result>(call: () => Result): Result
  /** Only the first call has an effect. */
  end(ending: AttemptEnding): void
}

export interface AttemptEnding {
  readonly outcome: Outcome['state'] | 'lease_lost'
  /** The thrown value. Only its class or code is read. */
  readonly error?: unknown
  /** The text of the error, without personal data. Undefined if the attempt did not fail. */
  readonly message?: string | undefined
}

export interface BackgroundWork {
  readonly name: 'registration check' | 'backfill'
  readonly endpoint: string
}

/** Runs work of the background, in a span if there is an SDK. */
export function inBackground<Result>(
  tracing: Tracing | undefined,
  work: BackgroundWork,
  run: () => Promise<Result>
): Promise<Result> {
  return tracing === undefined ? run() : tracing.background(work, run)
}
