import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import t from 'tap'
import { parse, stringify } from 'yaml'

import { createRiverhook } from '../../src/index.ts'
import { metricTable, type MetricEntry } from '../../src/observe/metrics/table.ts'
import { makeFolder } from '../folder.ts'
import { tablePattern } from '../readme-tables.ts'
import { log } from './log.ts'
import { observePage, observeTables } from './metrics-table.ts'

const root = new URL('../../', import.meta.url)
const folder = new URL('examples/monitoring/', root)
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8')

const table: Readonly<Record<string, MetricEntry>> = metricTable

/** Finds the metric of a name in an expression, which may be a part of a histogram. */
function metricOf(name: string): MetricEntry | undefined {
  const [, stem = ''] = /^(.*)_(?:bucket|sum|count)$/.exec(name) ?? []
  return table[name] ?? (table[stem]?.type === 'histogram' ? table[stem] : undefined)
}

/** Names that begin like metrics: cookies, and the start of several metrics. */
const noMetrics = new Set(['riverhook_session', 'riverhook_inbox_'])

const namesIn = (text: string): string[] =>
  (text.match(/\briverhook_[a-z_]+/g) ?? []).filter((name) => !noMetrics.has(name))

interface Panel {
  readonly id: number
  readonly title: string
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[]
}

interface Dashboard {
  readonly uid: string
  readonly schemaVersion: number
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] }
  readonly panels: readonly Panel[]
}

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}

const dashboard = JSON.parse(read('dashboard.json')) as Dashboard
const rules = (parse(read('riverhook.rules.yml')) as Rules).groups.flatMap((group) => group.rules)
const expressions = [...dashboard.panels.flatMap(({ targets }) => targets), ...rules].map(({ expr }) => expr)

t.test('the tables of the metrics, the alarms and the attributes are up to date', (t) => {
  const page = readFileSync(observePage, 'utf8')
  for (const [name, table] of Object.entries(observeTables))
    t.equal(tablePattern(name).exec(page)?.[2]?.trim(), table(), 'run test/readme-tables.ts to write it')
  t.end()
})

// Risk: an alert that never fires, because its metric has another name.
t.test('no document, rule or panel names a metric that does not exist', (t) => {
  const files = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.{md,yml,json}'], {
    cwd: fileURLToPath(root),
    exclude: ['node_modules/**']
  })
  const unknown = files.flatMap((file) =>
    namesIn(readFileSync(new URL(file, root), 'utf8')).flatMap((name) =>
      metricOf(name) === undefined ? [`${file}: ${name}`] : []
    )
  )
  t.same(unknown, [])
  t.ok(expressions.length > 30 && expressions.every((expr) => namesIn(expr).length > 0))
  t.end()
})

// Risk: an Agent of Datadog that is refused, or that reads none of the metrics.
t.test('the configuration for Datadog reads every metric, from the address of the documentation', (t) => {
  const page = readFileSync(observePage, 'utf8')
  const [, text = ''] = /^## Datadog\n[\s\S]*?^```yaml\n([\s\S]*?)^```/m.exec(page) ?? []
  const { instances } = parse(text) as {
    readonly instances: readonly { readonly openmetrics_endpoint: string; readonly metrics: readonly string[] }[]
  }
  t.match(instances, [{ auth_token: { writer: { type: 'header', name: 'Authorization', value: 'Bearer <TOKEN>' } } }])
  for (const { openmetrics_endpoint: address, metrics } of instances) {
    t.ok(page.includes(`curl -H "Authorization: Bearer $TOKEN" ${address}\n`))
    // The Agent compares whole names, without the end of counters.
    const patterns = metrics.map((pattern) => new RegExp(`^(?:${pattern})$`))
    const names = Object.keys(table).map((name) => name.replace(/_total$/, ''))
    t.same(
      names.filter((name) => !patterns.some((pattern) => pattern.test(name))),
      []
    )
  }
  t.end()
})

t.test('every label of an expression is a label of its metrics', (t) => {
  for (const expr of expressions) {
    const labels = namesIn(expr).flatMap((name) => metricOf(name)?.labels ?? [])
    const used = [
      ...[...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, inner = '']) => inner.match(/\w+(?=\s*[=!])/g) ?? []),
      ...[...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/))
    ]
    t.same(
      used.filter((label) => label !== 'le' && !labels.includes(label)),
      [],
      expr
    )
    for (const [, label, values = ''] of expr.matchAll(/\b(result|outcome|state)=~?"([^"]*)"/g))
      for (const value of values.split('|'))
        t.ok(
          namesIn(expr).some((name) => new RegExp(`\\b${value}\\b`).test(metricOf(name)?.help ?? '')),
          `${label ?? ''} ${value} is in the table`
        )
  }
  t.end()
})

t.test('the dashboard has an id, a choice of the data source, and panels with different ids', (t) => {
  const { uid, schemaVersion, templating, panels } = dashboard
  t.match({ uid, schemaVersion }, { uid: 'riverhook', schemaVersion: Number })
  t.match(templating.list, [{ name: 'datasource', type: 'datasource' }])
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  t.ok(panels.every(({ title, targets }) => title !== '' && targets.length > 0))
  t.notMatch(read('dashboard.json'), /"uid": "(?!riverhook|\$\{datasource\})/, 'no data source of ours')
  t.end()
})

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined
const skip = hasPromtool ? false : 'promtool is not in PATH: CONTRIBUTING.md says how to get it without root'

t.test('promtool accepts the rules, their tests, the configuration, the panels and the page', { skip }, async (t) => {
  const run = (args: readonly string[], input = '') => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { input, cwd: fileURLToPath(folder) })
    t.equal(status, 0, `${args.join(' ')}: ${String(stdout)}${String(stderr)}`)
  }
  run(['check', 'rules', 'riverhook.rules.yml'])
  run(['test', 'rules', 'riverhook.rules.test.yml'])
  run(['check', 'config', '--syntax-only', 'prometheus.yml'])
  const tests = read('riverhook.rules.test.yml')
  for (const { alert } of rules) t.match(tests, `alertname: ${alert}`, 'each alert has a test')
  const panels = dashboard.panels
    .flatMap(({ targets }) => targets)
    .map(({ expr }, index) => ({ record: `panel:${index}`, expr: expr.replaceAll('$__rate_interval', '5m') }))
  const written = makeFolder(t, { 'panels.yml': stringify({ groups: [{ name: 'panels', rules: panels }] }) })
  run(['check', 'rules', join(written, 'panels.yml')])
  const riverhook = createRiverhook({ secrets: 'a', inbox: 'memory:', log, metrics: true })
  riverhook.on('order.accepted', () => undefined)
  await riverhook.start()
  t.teardown(() => riverhook.stop())
  run(['check', 'metrics'], await riverhook.metrics())
})
