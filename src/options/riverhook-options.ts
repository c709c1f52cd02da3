import type { DeliveryCallbacks } from '../deliver/report.ts'
import type { HandlerDefinition, RetryOptions } from '../handlers/registry.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { RegistrationChange } from '../manage/registration/watch.ts'
import type { AlarmChange, AlarmName } from '../model/alarm.ts'
import type { EncryptionOptions } from '../model/encryption-keys.ts'
import type { MetricsOptions } from '../observe/metrics/metering.ts'
import type { TraceOptions } from '../observe/traces/traces.ts'
import type { Rejection } from '../receive/rejections.ts'
import type { Source } from '../source/source.ts'
import type { EndpointOptions } from './endpoint-options.ts'

export interface SourceOption {
  /**
   * The provider. Default: `digitalRiver()`; for an endpoint of a list, the common `source`. Register handlers of
   * another source with `riverhook.from(source)`.
   */
  readonly source?: Source | undefined
}

/** The search for events. */
export interface SearchOptions {
  /**
   * Paths of ids in your events, as handlers see them: `['data.object.metadata.cartId']`. A list on the way stands for
   * its entries, an object at the end for its `id`. At most 12. `RIVERHOOK_SEARCH_KEYS` of the server.
   */
  readonly keys?: readonly string[] | undefined
}

/** The alarms. `RIVERHOOK_ALARM_*` of the server. */
export interface AlarmOptions {
  /**
   * Where alarms are POSTed, as JSON with a `text` that chat programs show: http or https. Redirects are not followed.
   * Refused: link-local and metadata addresses. Default: they are only logged.
   */
  readonly url?: string | undefined
  /** Signs these requests by the rules of Standard Webhooks: at least 24 bytes in Base64. Default: unsigned. */
  readonly secret?: string | undefined
  /**
   * Fetched every minute while requests can be recorded. A service behind it notices when that ends, as when the
   * process dies. `RIVERHOOK_HEARTBEAT_URL` of the server.
   */
  readonly heartbeat?: string | undefined
  /**
   * How long an endpoint may get no authentic request: at least `1m`. Default: learnt from the last days. If the
   * provider can be asked, an alarm is raised only if events are missing.
   */
  readonly silence?: number | string | undefined
  /**
   * Hours of each day in which no request is expected, with a time zone: `22:00-07:00 Europe/Berlin`. They do not count
   * as silence. Only with `silence`: a learnt limit already includes them.
   */
  readonly quietHours?: string | undefined
  /** Conditions that raise no alarm. Default: none. */
  readonly skip?: readonly AlarmName[] | undefined
  /** How often the conditions are checked: at most `60s`. Default `30s`. */
  readonly every?: number | string | undefined
}

/** The plugin's options. A single endpoint can be given directly; several go into `endpoints`. */
export interface RiverhookOptions extends EndpointOptions, SourceOption, DeliveryCallbacks {
  /** Several endpoints, for example test and live, each with its own path and credentials. */
  readonly endpoints?: readonly (EndpointOptions & SourceOption)[] | undefined
  /**
   * Where events are stored: `sqlite:PATH` (default `sqlite:riverhook.db`), `postgres://...`, `memory:`, or an engine.
   */
  readonly inbox?: string | Inbox | undefined
  /** Encrypts what is stored of events, if it may be personal data. See docs/encryption.md. Default: plain text. */
  readonly encryption?: EncryptionOptions | undefined
  /**
   * The handlers: a folder of handler files to load at the start, what `defineHandler` returns, or a list of both. More
   * can be registered with `riverhook.on()` before the start.
   */
  readonly handlers?: string | HandlerDefinition | readonly (string | HandlerDefinition)[] | undefined
  /**
   * Forwards events without code, each to the URL after its pattern: `order.*=http://erp.internal/hooks`, several
   * comma-separated or as a list. `forward()` has more options. `RIVERHOOK_FORWARD` of the server.
   */
  readonly forward?: string | readonly string[] | undefined
  /** Signs what `forward` sends: see the `secret` of `forward()`. `RIVERHOOK_FORWARD_SECRET` of the server. */
  readonly forwardSecret?: string | readonly string[] | undefined
  /** How failed deliveries are retried, for handlers without their own `retry`. */
  readonly retry?: RetryOptions | undefined
  /** The most attempts at the same time in this process, for all handlers together. Default 64. */
  readonly concurrency?: number | undefined
  /**
   * How long events are kept after their arrival, once all their deliveries are done: milliseconds, or a text such as
   * `30d` (default). At least 73 h.
   */
  readonly retention?: number | string | undefined
  /**
   * How long events with dead letters, or with parked deliveries, are kept after the last of these became dead or was
   * due. An event that has another delivery to run is kept. Default `180d`, or `retention` if that is longer; at least
   * `retention`.
   */
  readonly deadRetention?: number | string | undefined
  /**
   * How long quarantined requests are kept after their arrival. Default `180d`, or `retention` if that is longer; at
   * least `retention`.
   */
  readonly quarantineRetention?: number | string | undefined
  /**
   * The most bytes of request bodies in memory, for all endpoints together, from their arrival until they are answered.
   * Further requests are answered 503. Default 64 MiB; at least the largest `bodyLimit`. Lower it in a small container:
   * reading a body takes several times its size.
   */
  readonly bodyBudget?: number | undefined
  /**
   * How long handlers may continue at shutdown before they are handed back: up to `24d`. Default `8s`, because `docker
   * stop` kills after 10 s.
   */
  readonly grace?: number | string | undefined
  /** `health()` warns while a delivery is overdue by more than this. Default `5m`. */
  readonly maxBacklogAge?: number | string | undefined
  /**
   * `health()` reports not ready while a delivery is overdue by more than `maxBacklogAge`. Default: it only warns, as
   * requests are recorded all the same. With replicas, one slow handler then makes all of them not ready.
   */
  readonly readyNeedsNoBacklog?: boolean | undefined
  /**
   * Metrics for Prometheus: `true`, or a registry of yours in `{ registry }`. With `{ exemplars: true }`, durations
   * name a trace. `riverhook.metrics()` renders them. See docs/observe.md. Default: off; `riverhook serve` has them
   * with the operator's API.
   */
  readonly metrics?: boolean | MetricsOptions | undefined
  /** The traces of OpenTelemetry, which are on if an SDK is registered before the start. See docs/observe.md. */
  readonly trace?: TraceOptions | undefined
  /** Where alarms are sent. Default: they are only logged. `false`: no alarms. See docs/observe.md. */
  readonly alarms?: AlarmOptions | false | undefined
  /** By what people find events, beside the keys that the source finds: `events list --about`. */
  readonly search?: SearchOptions | undefined
  /**
   * Paths of personal data in the JSON of your events, in addition to those of the source: `['data.**.nickname']`. `*`
   * is one field of any name, or in a name any characters; `**` is any number of fields. Names are compared without
   * regard to case. A list on the way stands for its entries. The errors of
   * handlers are stored and logged without these values. `RIVERHOOK_REDACT` of the server.
   */
  readonly redact?: readonly string[] | undefined
  /** Called when a request is refused. */
  readonly onRejected?: ((rejection: Rejection) => unknown) | undefined
  /** Called when an alarm is raised, becomes worse, lasts for another day, or is resolved. One replica calls it. */
  readonly onAlarm?: ((alarm: AlarmChange) => unknown) | undefined
  /** Called when a registered webhook was disabled, changed or deleted. */
  readonly onRegistrationChange?: ((change: RegistrationChange) => unknown) | undefined
}
