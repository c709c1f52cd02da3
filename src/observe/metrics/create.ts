import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client'

import { metricTable, type MetricEntry, type MetricName } from './table.ts'

type NameOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof metricTable)[Name]['type'] extends Type ? Name : never
}[MetricName]

type LabelOf<Name extends MetricName> = (typeof metricTable)[Name]['labels'][number]

/** Makes the metrics of the table in a registry. */
export class Made {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  counter<Name extends NameOf<'counter'>>(name: Name): Counter<LabelOf<Name>> {
    const { labels, help } = metricTable[name]
    return new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] })
  }

  histogram<Name extends NameOf<'histogram'>>(name: Name): Histogram<LabelOf<Name>> {
    const { labels, help, buckets } = metricTable[name]
    return new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [this.#registry] })
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
