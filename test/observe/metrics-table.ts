import { metricTable, type MetricEntry } from '../../src/observe/metrics/table.ts'

// The table of the metrics, made from the code.

export const observePage = new URL('../../docs/observe.md', import.meta.url)
export const metricsTableName = 'metrics'

export function metricsTable(): string {
  const rows = Object.entries<MetricEntry>(metricTable).map(
    ([name, { type, labels, help, buckets }]) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help}${buckets === undefined ? '' : `. Buckets: ${buckets.join(' ')}`} |`
  )
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n')
}
