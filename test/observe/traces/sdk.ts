import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan
} from '@opentelemetry/sdk-trace-node'

/** A span that has ended, in the form that the tests compare. */
export interface SeenSpan {
  readonly name: string
  readonly kind: string
  readonly trace: string
  readonly id: string
  /** The id of its parent. */
  readonly parent: string | undefined
  /** The traces and ids of its links. */
  readonly links: readonly { readonly trace: string; readonly id: string }[]
  readonly attributes: Readonly<Record<string, unknown>>
  /** The message of the status, if it is an error. */
  readonly error: string | undefined
}

/** Registers a real SDK in this process. @returns the spans that have ended so far, in that order */
export function startSdk(): () => SeenSpan[] {
  const exporter = new InMemorySpanExporter()
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()
  return () => exporter.getFinishedSpans().map(toSeen)
}

/** As if the request arrived in a minute: a busy machine then does not refuse it at its deadline. */
export const patient = { elapsedMs: -60_000 }

/** Calls a function in a span, as the instrumentation of an HTTP server does. */
export async function inServerSpan<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
  return trace.getTracer('host').startActiveSpan(name, { kind: SpanKind.SERVER, root: true }, async (span) => {
    try {
      return await run()
    } finally {
      span.end()
    }
  })
}

function toSeen(span: ReadableSpan): SeenSpan {
  const { traceId, spanId } = span.spanContext()
  return {
    name: span.name,
    kind: SpanKind[span.kind],
    trace: traceId,
    id: spanId,
    parent: span.parentSpanContext?.spanId,
    links: span.links.map(({ context }) => ({ trace: context.traceId, id: context.spanId })),
    attributes: span.attributes,
    error: span.status.code === SpanStatusCode.ERROR ? (span.status.message ?? '') : undefined
  }
}
