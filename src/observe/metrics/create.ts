import { Counter, Gauge, Histogram, type OpenMetricsContentType, type Registry } from '@prometheus-io/client'

import type { SpanIds } from '../../model/tracing.ts'
import { Buckets, type Labels } from './buckets.ts'
import { metricTable, type MetricEntry, type MetricName } from './table.ts'

type NameOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof metricTable)[Name]['type'] extends Type ? Name : never
}[MetricName]

type LabelOf<Name extends MetricName> = (typeof metricTable)[Name]['labels'][number]

/** Finds the ids of the active span, if it is sampled. */
export type FindSpanIds = () => SpanIds | undefined

/** Adds a value to a histogram. */
export type Observe<Label extends string> = (labels: Labels<Label>, value: number) => void

/** Makes the metrics of the table in a registry. */
export class Made {
  readonly #registry: Registry
  readonly #hasExemplars: boolean

  /** @param hasExemplars whether durations name a trace; then the registry must be one of OpenMetrics */
  constructor(registry: Registry, hasExemplars = false) {
    this.#registry = registry
    this.#hasExemplars = hasExemplars
  }

  counter<Name extends NameOf<'counter'>>(name: Name): Counter<LabelOf<Name>> {
    const { labels, help } = metricTable[name]
    return new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] })
  }

  histogram<Name extends NameOf<'histogram'>>(name: Name): Observe<LabelOf<Name>> {
    const { labels, help, buckets } = metricTable[name]
    const made = new Buckets({ name, help, labels, buckets }, this.#registry)
    return (given, value) => {
      made.observe(given, value)
    }
  }

  /** Makes a histogram whose buckets name the trace of their last value. @param find the ids of that trace */
  traced<Name extends NameOf<'histogram'>>(name: Name, find: FindSpanIds): Observe<LabelOf<Name>> {
    if (!this.#hasExemplars) return this.histogram(name)
    const { labels: labelNames, help, buckets } = metricTable[name]
    const registers = [this.#registry] as unknown as Registry<OpenMetricsContentType>[]
    const histogram = new Histogram<string>({
      ...{ name, help, labelNames: [...labelNames], buckets: [...buckets] },
      ...{ registers, enableExemplars: true }
    })
    return (labels, value) => {
      histogram.observe({ labels, value, exemplarLabels: { ...find() } })
    }
  }

  /** @param collect sets the values: called at each scrape, with the gauge as it was after the last one */
  gauge<Name extends NameOf<'gauge'>>(
    name: Name,
    collect: (gauge: Gauge<LabelOf<Name>>) => void | Promise<void>
  ): void {
    const { labels, help } = metricTable[name]
    const gauge = new Gauge<LabelOf<Name>>({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      async collect() {
        await collect(gauge)
      }
    })
    // A gauge without labels begins with the value 0, which would be wrong while nothing is known.
    if (labels.length === 0) gauge.remove()
  }
}
