import type { Registry } from '@prometheus-io/client'

import { RiverhookError } from '../../model/errors.ts'
import type { Metrics, MetricsSubject } from './metrics.ts'

/** The option `metrics`. */
export interface MetricsOptions {
  /** A registry of yours, which your own page of metrics renders. Default: a new one. */
  readonly registry?: Registry | undefined
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
    try {
      this.#metrics = new Metrics(this.#options.registry ?? new Registry(), subject())
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
