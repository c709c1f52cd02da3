/** The context of a span, as it is stored with an event and sent in a header. */
export interface TraceContext {
  readonly traceId: string
  readonly spanId: string
  readonly flags: number
  /** The header `tracestate`. */
  readonly state?: string | undefined
}

/** The longest `tracestate` that is kept, in characters. */
const longestState = 512
const parent = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?<rest>-.*)?$/

/** Reads the headers of W3C Trace Context. Undefined if `traceparent` is not valid. */
export function parseTrace(traceparent: string, tracestate?: string): TraceContext | undefined {
  const found = parent.exec(traceparent)
  if (found === null) return undefined
  const [, version, traceId = '', spanId = '', flags = '', rest] = found
  // Later versions may add fields.
  if (version === '00' && rest !== undefined) return undefined
  return { traceId, spanId, flags: Number.parseInt(flags, 16), state: tracestate }
}

/** The stored form of a context: the header `traceparent`, and after a space, that of `tracestate` if there is one. */
export function packTrace({ traceId, spanId, flags, state = '' }: TraceContext): string {
  const head = `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`
  return state === '' || state.length > longestState ? head : `${head} ${state}`
}

/** Reverses `packTrace`. Undefined also if the text is something else. */
export function readTrace(stored: string | undefined): TraceContext | undefined {
  if (stored === undefined) return undefined
  const [, head = stored, state] = /^(\S+) (.*)$/s.exec(stored) ?? []
  return parseTrace(head, state)
}
