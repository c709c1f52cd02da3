import type { CommittedMessage } from '../model/channels.ts'
import type { SendSpan, SpanIds, TraceHeaders, Tracing } from '../model/tracing.ts'
import type { Arrival, RecordResult } from '../inbox/inbox.ts'

type Results = readonly (RecordResult | undefined)[]

/** The spans in which the arrivals of a request are recorded: one for each. */
export class Sends {
  readonly #arrivals: readonly Arrival[]
  readonly #spans: readonly SendSpan[]

  constructor(tracing: Tracing, arrivals: readonly Arrival[], headers: TraceHeaders) {
    this.#arrivals = arrivals
    this.#spans = arrivals.map((arrival) => tracing.send(arrival, headers))
  }

  /** The arrivals, each with the context of its span. */
  get arrivals(): readonly Arrival[] {
    return this.#arrivals.map((arrival, index) => ({ ...arrival, trace: this.#spans[index]?.trace }))
  }

  /** Ends the spans when the arrivals are recorded. @throws what `record` throws */
  async record(record: (onCommitted: (commit: CommittedMessage) => void) => Promise<Results>): Promise<Results> {
    let commit: CommittedMessage | undefined
    try {
      const results = await record((message) => {
        commit = message
      })
      this.#spans.forEach((span, index) => {
        const isQuarantined = this.#arrivals[index]?.state === 'quarantined' && results[index] !== 'conflict'
        span.end({ result: isQuarantined ? 'quarantined' : results[index], commit })
      })
      return results
    } catch (error) {
      for (const span of this.#spans) span.end({ commit, error })
      throw error
    }
  }

  /** The ids of the span of an arrival, for its log line. */
  ids(index: number): SpanIds | undefined {
    return this.#spans[index]?.ids
  }
}
