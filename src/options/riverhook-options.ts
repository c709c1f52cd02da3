import type { DeliveryCallbacks } from '../deliver/report.ts'
import type { HandlerDefinition, RetryOptions } from '../handlers/registry.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { RegistrationChange } from '../manage/registration/watch.ts'
import type { Rejection } from '../receive/receiver.ts'
import type { Source } from '../source/source.ts'
import type { EndpointOptions } from './endpoint-options.ts'

export interface SourceOption {
  /**
   * The provider. Default `digitalRiver()`; for an endpoint of a list, the `source` beside the list. Handlers of
   * another source are registered with `riverhook.from(source)`.
   */
  readonly source?: Source | undefined
}

/** The plugin's options. A single endpoint may be given flat; several go into `endpoints`. */
export interface RiverhookOptions extends EndpointOptions, SourceOption, DeliveryCallbacks {
  /** Several endpoints, for example test and live, each with its own path and credentials. */
  readonly endpoints?: readonly (EndpointOptions & SourceOption)[] | undefined
  /**
   * Where events are kept: `sqlite:PATH` (default `sqlite:riverhook.db`), `postgres://...`, `memory:`, or an engine.
   */
  readonly inbox?: string | Inbox | undefined
  /**
   * The handlers: a folder of handler files that is loaded at the start, what `defineHandler` returns, or a list of
   * both. More can be registered with `riverhook.on()` before the start.
   */
  readonly handlers?: string | HandlerDefinition | readonly (string | HandlerDefinition)[] | undefined
  /** How failed deliveries are tried again, for handlers that do not say. */
  readonly retry?: RetryOptions | undefined
  /** How many attempts run at a time in this process, all handlers together. Default 64. */
  readonly concurrency?: number | undefined
  /**
   * Events whose deliveries are all done are purged after it: milliseconds, or a text such as `30d` (default). At
   * least 73 h.
   */
  readonly retention?: number | string | undefined
  /**
   * The bytes of request bodies in memory at a time, all endpoints together, from their arrival until they are
   * answered. A request beyond it is answered 503. Default 64 MiB; at least the largest `bodyLimit`. Lower it in a
   * small container: a body takes several times its size when read.
   */
  readonly bodyBudget?: number | undefined
  /**
   * How long handlers may run at shutdown before they are handed back: up to `24d`. Default `8s`, because `docker stop`
   * kills after 10 s.
   */
  readonly grace?: number | string | undefined
  /** `health()` says not ready while a delivery is overdue by more than this. Default `5m`. */
  readonly maxBacklogAge?: number | string | undefined
  /** Called when a request is refused. */
  readonly onRejected?: ((rejection: Rejection) => unknown) | undefined
  /** Called when a webhook that `register` keeps has been disabled, changed or deleted. */
  readonly onRegistrationChange?: ((change: RegistrationChange) => unknown) | undefined
}
