import { alarmConditions, type AlarmCondition } from '../../src/model/alarm.ts'
import { metricTable, type MetricEntry } from '../../src/observe/metrics/table.ts'
import { attributeTable, type AttributeEntry } from '../../src/observe/traces/attributes.ts'

// The tables of the metrics, the alarms and the attributes of spans, made from the code.

export const observePage = new URL('../../docs/observe.md', import.meta.url)

/** The tables by name. */
export const observeTables: Readonly<Record<string, () => string>> = {
  metrics: metricsTable,
  alarms: alarmsTable,
  attributes: attributesTable
}

function metricsTable(): string {
  const rows = Object.entries<MetricEntry>(metricTable).map(
    ([name, { type, labels, help, buckets }]) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help}${buckets === undefined ? '' : `. Buckets: ${buckets.join(' ')}`} |`
  )
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function alarmsTable(): string {
  const rows = Object.entries<AlarmCondition>(alarmConditions).map(
    ([name, { of, forMs, resolveMs, means }]) =>
      `| \`${name}\` | ${of} | ${means} | ${span(forMs)} | ${span(resolveMs)} |`
  )
  return ['| alarm | of each | raised if | raised after | resolved after |', '|---|---|---|---|---|', ...rows].join(
    '\n'
  )
}

function attributesTable(): string {
  const rows = Object.entries<AttributeEntry>(attributeTable).map(
    ([name, { on, means }]) => `| \`${name}\` | ${on.join(', ')} | ${means} |`
  )
  return ['| attribute | spans | meaning |', '|---|---|---|', ...rows].join('\n')
}

function span(ms: number): string {
  if (ms === 0) return 'at once'
  return ms < 60_000 ? `${ms / 1_000} s` : `${ms / 60_000} min`
}
