import type { OpenMetricsContentType, Registry } from '@prometheus-io/client'

import { RiverhookError } from '../../model/errors.ts'
import type { Metrics, MetricsSubject } from './metrics.ts'

/** The option `metrics`. */
export interface MetricsOptions {
  /** A registry of yours, which your own page of metrics renders. Default: a new one. */
  readonly registry?: Registry<OpenMetricsContentType> | Registry | undefined
  /**
   * The durations of requests and attempts name the last sampled trace of each bucket, so that a graph leads to it.
   * Only the format of OpenMetrics has these exemplars: a registry of yours must be
   * `new Registry(Registry.OPENMETRICS_CONTENT_TYPE)`. Default false.
   */
  readonly exemplars?: boolean | undefined
}

/** @param type the class, which is loaded only if metrics are on */
export function createRegistry(type: typeof Registry, hasExemplars: boolean): Registry {
  return hasExemplars ? new type(type.OPENMETRICS_CONTENT_TYPE) : new type()
}

/** The metrics of a receiver, which are loaded only if they are on. */
export class Metering {
  readonly #options: MetricsOptions | undefined
  #metrics: Metrics | undefined

  constructor(option: boolean | MetricsOptions | undefined) {
    this.#options = option === true ? {} : option === false ? undefined : option
  }

  /** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if the registry has a metric of one of our names */
  async start(subject: () => MetricsSubject): Promise<void> {
    if (this.#options === undefined) return
    const [{ Registry }, { Metrics }] = await Promise.all([import('@prometheus-io/client'), import('./metrics.ts')])
    const { exemplars = false } = this.#options
    const given = this.#options.registry as Registry | undefined
    if (exemplars && given !== undefined && given.contentType !== (Registry.OPENMETRICS_CONTENT_TYPE as string))
      throw new RiverhookError(
        'RIVERHOOK_OPTIONS_INVALID',
        'Option "metrics.exemplars" needs a registry of OpenMetrics: new Registry(Registry.OPENMETRICS_CONTENT_TYPE)'
      )
    const registry = given ?? createRegistry(Registry, exemplars)
    try {
      this.#metrics = new Metrics(registry, subject(), exemplars)
    } catch (error) {
      throw new RiverhookError(
        'RIVERHOOK_OPTIONS_INVALID',
        `Option "metrics.registry" cannot take the metrics: ${(error as Error).message} Give each receiver its own registry`,
        { cause: error }
      )
    }
  }

  /** Reads what the metrics need from the inbox, once it is open. */
  async read(): Promise<void> {
    await this.#metrics?.readLastEvents()
  }

  /** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if metrics are off or not started */
  async text(): Promise<string> {
    if (this.#metrics !== undefined) return this.#metrics.text()
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      this.#options === undefined
        ? 'metrics(): the metrics are off; pass the option metrics: true'
        : 'metrics(): the metrics begin with the start of the receiver'
    )
  }

  end(): void {
    this.#metrics?.end()
  }
}
