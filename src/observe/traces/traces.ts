import { errorText } from '../../model/error-text.ts'
import type { Log } from '../../model/log.ts'
import type { Tracing } from '../../model/tracing.ts'
import type { Inbox } from '../../inbox/inbox.ts'

/** The option `trace`. Spans are created if an SDK of OpenTelemetry is registered before the start. */
export interface TraceOptions {
  /**
   * Continues the trace of the sender (header `traceparent`) where the request has no span of your own. Default: the
   * trace of the request links to it, because anyone who can send could choose the trace and whether it is sampled.
   * `RIVERHOOK_TRACE_TRUST_INCOMING` of the server.
   */
  readonly trustIncoming?: boolean | undefined
  /**
   * The page of a trace in your tracing service: `https://traces.example/trace/{traceId}`. `events show`, the
   * operator's API and page link to it. `RIVERHOOK_TRACE_URL` of the server.
   */
  readonly url?: string | undefined
}

export interface TracesStart {
  readonly version: string
  /** Once it is open. */
  readonly inbox: Pick<Inbox, 'signingKey'>
  readonly log: Pick<Log, 'warn'>
}

/** The tracing of a receiver: OpenTelemetry is loaded only if the host has registered an SDK. */
export class Traces {
  readonly #options: TraceOptions
  #current: Tracing | undefined

  constructor(options: TraceOptions = {}) {
    this.#options = options
  }

  /** Undefined without an SDK, and before the start. */
  get current(): Tracing | undefined {
    return this.#current
  }

  /** Never rejects: a receiver works without traces. */
  async start({ version, inbox, log }: TracesStart): Promise<void> {
    const registered = registeredSdk()
    if (registered === undefined) return
    const { trustIncoming = false } = this.#options
    try {
      const [{ trace }, { Tracer }] = await Promise.all([import('@opentelemetry/api'), import('./tracer.ts')])
      // The API returns what is registered only to a copy of it that is not newer.
      if (trace.getTracerProvider() !== registered.trace) {
        log.warn({ registered: registered.version }, tooNew)
        return
      }
      const key = await inbox.signingKey().catch(() => undefined)
      this.#current = new Tracer({ version, trustIncoming, key })
    } catch (error) {
      log.warn({ error: errorText(error) }, 'no traces: OpenTelemetry could not be loaded')
    }
  }
}

const tooNew =
  'no traces: the SDK of OpenTelemetry uses an older @opentelemetry/api than Riverhook. Let both use one copy: npm dedupe'

interface Registered {
  readonly version: string
  readonly trace: unknown
}

/** Finds the registration of an SDK, at the place where every copy of version 1 of the API looks, too. */
function registeredSdk(): Registered | undefined {
  const found = (globalThis as { readonly [key: symbol]: unknown })[Symbol.for('opentelemetry.js.api.1')]
  const { version, trace } = (found ?? {}) as { readonly version?: unknown; readonly trace?: unknown }
  return trace === undefined ? undefined : { version: String(version), trace }
}
