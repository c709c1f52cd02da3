import { createHmac } from 'node:crypto'

import {
  context,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type Tracer as OtelTracer
} from '@opentelemetry/api'

import { messageOf } from '../../model/error-text.ts'
import { packTrace, parseTrace, readTrace, type TraceContext } from '../../model/trace.ts'
import type {
  AttemptEnding,
  AttemptSpan,
  BackgroundWork,
  SendEnding,
  SendSpan,
  SpanIds,
  TracedAnswer,
  TracedArrival,
  TracedDelivery,
  TraceHeaders,
  Tracing
} from '../../model/tracing.ts'
import { visible } from '../../model/visible.ts'
import type { SpanAttributes } from './attributes.ts'
import { errorType } from './error-type.ts'

export interface TracerOptions {
  readonly version: string
  /** Whether a request without a span of the host continues the trace of the sender. */
  readonly trustIncoming: boolean
  /** The key for digests of order keys. Undefined: there are none. */
  readonly key: Uint8Array | undefined
}

/** A late attempt would stretch the trace of the request, and a sampler that waits for its end would miss it. */
const childMs = 60_000

/** The spans of a receiver. */
export class Tracer implements Tracing {
  readonly #tracer: OtelTracer
  readonly #options: TracerOptions

  constructor(options: TracerOptions) {
    this.#options = options
    this.#tracer = trace.getTracer('riverhook', options.version)
  }

  activeIds(): SpanIds | undefined {
    return idsOf(trace.getSpan(context.active()))
  }

  sampledIds(): SpanIds | undefined {
    const span = trace.getSpan(context.active())
    const isSampled = ((span?.spanContext().traceFlags ?? TraceFlags.NONE) & TraceFlags.SAMPLED) !== 0
    return isSampled ? idsOf(span) : undefined
  }

  activeTrace(): string | undefined {
    return traceOf(trace.getSpan(context.active()))
  }

  answered({ endpoint, result, code }: TracedAnswer): void {
    const attributes: SpanAttributes = {
      'riverhook.endpoint': endpoint,
      'riverhook.result': result,
      'riverhook.code': code
    }
    trace.getSpan(context.active())?.setAttributes(attributes)
  }

  send(sent: TracedArrival, headers: TraceHeaders): SendSpan {
    const active = context.active()
    const host = trace.getSpan(active)?.spanContext()
    const incoming = incomingContext(headers)
    const isParent = this.#options.trustIncoming && host === undefined
    const parent = isParent && incoming !== undefined ? trace.setSpanContext(active, incoming) : active
    // The host has continued the trace of the sender itself.
    const isContinued = host?.traceId === incoming?.traceId
    const links = isParent || isContinued ? [] : linksTo(incoming)
    const attributes: SpanAttributes = {
      ...messageAttributes('send', sent.endpoint, sent),
      'riverhook.realm': sent.realm
    }
    return new Send(
      this.#tracer.startSpan(`send ${sent.endpoint}`, { kind: SpanKind.PRODUCER, attributes, links }, parent)
    )
  }

  process(delivery: TracedDelivery, startedAt: number): AttemptSpan {
    const { id, handler, attempt, orderKey, replay, event } = delivery
    const sent = toSpanContext(readTrace(event.trace))
    const cause = toSpanContext(readTrace(replay?.trace))
    const isFirst = attempt === 1 && replay === undefined && startedAt - event.receivedAt.getTime() <= childMs
    const parent = isFirst && sent !== undefined ? trace.setSpanContext(ROOT_CONTEXT, sent) : ROOT_CONTEXT
    const attributes: SpanAttributes = {
      ...messageAttributes('process', handler, event),
      'riverhook.realm': event.realm,
      'riverhook.endpoint': event.endpoint,
      'riverhook.delivery.id': id,
      'riverhook.attempt': attempt,
      'riverhook.order_key.hash': this.#digest(orderKey)
    }
    const links = [...linksTo(sent), ...linksTo(cause)]
    const span = this.#tracer.startSpan(`process ${handler}`, { kind: SpanKind.CONSUMER, attributes, links }, parent)
    return new Process(span)
  }

  async background<Result>({ name, endpoint }: BackgroundWork, run: () => Promise<Result>): Promise<Result> {
    const caller = trace.getSpan(context.active())?.spanContext()
    const attributes: SpanAttributes = { 'riverhook.endpoint': endpoint }
    const links = linksTo(caller)
    const span = this.#tracer.startSpan(name, { kind: SpanKind.INTERNAL, attributes, links }, ROOT_CONTEXT)
    try {
      return await context.with(trace.setSpan(ROOT_CONTEXT, span), run)
    } catch (error) {
      fail(span, error, messageOf(error))
      throw error
    } finally {
      span.end()
    }
  }

  #digest(orderKey: string | undefined): string | undefined {
    const { key } = this.#options
    if (orderKey === undefined || key === undefined) return undefined
    return createHmac('sha256', key).update(`order key ${orderKey}`).digest('hex').slice(0, 16)
  }
}

class Send implements SendSpan {
  readonly #span: Span

  constructor(span: Span) {
    this.#span = span
  }

  get ids(): SpanIds | undefined {
    return idsOf(this.#span)
  }

  get trace(): string | undefined {
    return traceOf(this.#span)
  }

  end({ result, commit, error }: SendEnding): void {
    const attributes: SpanAttributes = {
      'riverhook.result': result,
      'riverhook.commit.arrivals': commit?.arrivals,
      'riverhook.commit.duration_ms': commit && Math.round(commit.duration_ms * 1_000) / 1_000
    }
    this.#span.setAttributes(attributes)
    // The text of an error may quote the body: a trigger of the database, for example.
    if (error !== undefined) fail(this.#span, error, errorType(error))
    this.#span.end()
  }
}

class Process implements AttemptSpan {
  readonly #span: Span
  readonly #context: Context

  constructor(span: Span) {
    this.#span = span
    this.#context = trace.setSpan(ROOT_CONTEXT, span)
  }

  get ids(): SpanIds | undefined {
    return idsOf(this.#span)
  }

  run<Result>(call: () => Result): Result {
    return context.with(this.#context, call)
  }

  /** A span that has ended ignores all calls. */
  end({ outcome, error, message }: AttemptEnding): void {
    const attributes: SpanAttributes = { 'riverhook.outcome': outcome }
    this.#span.setAttributes(attributes)
    if (message !== undefined) fail(this.#span, error, message)
    this.#span.end()
  }
}

function messageAttributes(operation: 'send' | 'process', destination: string, sent: Omit<TracedArrival, 'realm'>) {
  return {
    'messaging.system': 'riverhook',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': destination,
    'messaging.message.id': visible(sent.id),
    'messaging.message.body.size': sent.body.byteLength,
    'riverhook.event.type': sent.type === undefined ? undefined : visible(sent.type)
  } satisfies SpanAttributes
}

function fail(span: Span, error: unknown, message: string): void {
  const attributes: SpanAttributes = { 'error.type': errorType(error) }
  span.setAttributes(attributes)
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}

function idsOf(span: Span | undefined): SpanIds | undefined {
  const found = validContext(span)
  return found && { trace_id: found.traceId, span_id: found.spanId }
}

function traceOf(span: Span | undefined): string | undefined {
  const found = validContext(span)
  if (found === undefined) return undefined
  const { traceId, spanId, traceFlags: flags, traceState } = found
  return packTrace({ traceId, spanId, flags, state: traceState?.serialize() })
}

function validContext(span: Span | undefined): SpanContext | undefined {
  const found = span?.spanContext()
  return found !== undefined && isSpanContextValid(found) ? found : undefined
}

function incomingContext({ traceparent, tracestate }: TraceHeaders): SpanContext | undefined {
  if (typeof traceparent !== 'string') return undefined
  const state = tracestate === undefined ? undefined : [tracestate].flat().join(',')
  return toSpanContext(parseTrace(traceparent, state))
}

function toSpanContext(found: TraceContext | undefined): SpanContext | undefined {
  if (found === undefined) return undefined
  const { traceId, spanId, flags, state } = found
  const traceState = state === undefined ? {} : { traceState: createTraceState(state) }
  return { traceId, spanId, traceFlags: flags & 1, isRemote: true, ...traceState }
}

function linksTo(found: SpanContext | undefined): Link[] {
  return found === undefined ? [] : [{ context: found }]
}
