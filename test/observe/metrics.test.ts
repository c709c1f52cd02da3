import { globSync, readFileSync } from 'node:fs'

import { Histogram, Registry, type MetricValueWithName } from '@prometheus-io/client'
import fc from 'fast-check'
import t, { type Test } from 'tap'

import { createRiverhook, memoryInbox, PermanentError, type RiverhookOptions } from '../../src/index.ts'
import { publish } from '../../src/model/channels.ts'
import { Metrics } from '../../src/observe/metrics/metrics.ts'
import { Buckets, type BucketsOptions } from '../../src/observe/metrics/buckets.ts'
import { actions, metricTable, type MetricEntry } from '../../src/observe/metrics/table.ts'
import { binaryText } from '../binary-text.ts'
import { event, secret, signatureHeaders } from '../receive/receiver.ts'
import { until } from '../inbox/until.ts'
import { log } from './log.ts'
import { quietSubject } from './metrics-subject.ts'
import { readSamples, valueOf } from './samples.ts'

const endpoint = '/hook'

async function startWith(t: Test, options: RiverhookOptions) {
  const inbox = memoryInbox()
  const riverhook = createRiverhook({ path: endpoint, secrets: secret, inbox, log, ...options })
  riverhook.on('order.accepted', { name: 'ship', concurrency: 3 }, () => undefined)
  riverhook.on('order.blocked', { name: 'hold' }, () => {
    throw new PermanentError('no')
  })
  await riverhook.start()
  t.teardown(() => riverhook.stop())
  const send = async (body: Uint8Array, headers: Record<string, string> = signatureHeaders(body)) => {
    const { status } = await riverhook.receive({
      method: 'POST',
      url: endpoint,
      headers: {
        'content-type': 'application/json',
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
      },
      body
    })
    return status
  }
  return { riverhook, inbox, send }
}

// Risk: an outage that no graph and no alert shows.
t.test(
  'requests, events, attempts and what is left are on the page, with zeros for what has not happened',
  async (t) => {
    const { riverhook, inbox, send } = await startWith(t, { metrics: true })
    const page = () => riverhook.metrics()
    const first = await page()
    const requests = (text: string, result: string) => valueOf(text, 'riverhook_requests_total', { endpoint, result })
    for (const result of ['accepted', 'unauthenticated', 'unavailable', 'fault']) t.equal(requests(first, result), 0)
    t.equal(valueOf(first, 'riverhook_attempts_total', { handler: 'ship', outcome: 'dead' }), 0)
    t.equal(valueOf(first, 'riverhook_events_total', { type: 'order.accepted' }), 0)
    t.equal(valueOf(first, 'riverhook_inbox_deliveries', { handler: 'hold', state: 'dead' }), 0)
    t.equal(valueOf(first, 'riverhook_last_event_timestamp_seconds'), undefined)

    const accepted = event({ id: 'e1', type: 'order.accepted' })
    t.equal(await send(accepted), 202)
    t.equal(await send(accepted), 202)
    t.equal(await send(event({ id: 'e2', type: 'order.blocked' })), 202)
    t.equal(await send(event({ id: 'e3', type: 'brand.new' })), 202)
    t.equal(await send(event({ id: 'e4' }), signatureHeaders(event({ id: 'e4' }), 'whk_other')), 401)
    t.equal(await send(Buffer.from('{}')), 400)
    await until(inbox, async () => {
      const { byHandler } = await inbox.stats()
      return byHandler.every(({ done, dead }) => done + dead === 1)
    })
    await riverhook.drain()
    const text = await page()
    for (const [result, count] of [
      ['accepted', 3],
      ['duplicate', 1],
      ['unauthenticated', 1],
      ['quarantined', 1]
    ] as const)
      t.equal(requests(text, result), count, result)
    t.equal(valueOf(text, 'riverhook_request_duration_seconds_count', { endpoint }), 6)
    t.equal(valueOf(text, 'riverhook_events_total', { type: 'order.accepted' }), 1)
    t.equal(valueOf(text, 'riverhook_events_total', { type: 'other' }), 1, 'a type of no catalogue')
    t.equal(valueOf(text, 'riverhook_drift_total', { type: 'other', rule: 'unknown_type' }), 1)
    t.equal(valueOf(text, 'riverhook_event_age_seconds_count', { endpoint }), 3)
    t.ok((valueOf(text, 'riverhook_last_event_timestamp_seconds', { endpoint }) ?? 0) > 1.7e9)
    t.equal(valueOf(text, 'riverhook_attempts_total', { handler: 'ship', outcome: 'done' }), 1)
    t.equal(valueOf(text, 'riverhook_attempts_total', { handler: 'hold', outcome: 'dead' }), 1)
    t.equal(valueOf(text, 'riverhook_attempt_duration_seconds_count', { handler: 'hold' }), 1)
    t.equal(valueOf(text, 'riverhook_delivery_latency_seconds_count', { handler: 'ship' }), 1)
    t.equal(valueOf(text, 'riverhook_concurrency_limit', { handler: 'ship' }), 3)
    t.ok((valueOf(text, 'riverhook_inbox_batch_events_sum') ?? 0) >= 5)
    t.equal(valueOf(text, 'riverhook_inbox_up'), 1)
    t.equal(valueOf(text, 'riverhook_build_info', { inbox: 'memory' }), 1)
  }
)

t.test('the page has the metrics of the table and no other, and a registry of the host takes them', async (t) => {
  const registry = new Registry()
  const { riverhook } = await startWith(t, { metrics: { registry } })
  const page = await riverhook.metrics()
  t.equal(await registry.metrics(), page)
  const named = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type])
  t.same(
    named.toSorted(),
    Object.entries<MetricEntry>(metricTable)
      .map(([name, { type }]) => [name, type])
      .toSorted()
  )
  const labels = (name: string) =>
    (metricTable as Record<string, MetricEntry>)[name.replace(/_(bucket|sum|count)$/, '')]
  for (const sample of readSamples(page)) {
    const allowed = (labels(sample.name) ?? (metricTable as Record<string, MetricEntry>)[sample.name])?.labels ?? []
    t.ok(
      Object.keys(sample.labels).every((label) => label === 'le' || allowed.includes(label)),
      sample.name
    )
  }
  const second = createRiverhook({ path: '/other', secrets: secret, inbox: 'memory:', log, metrics: { registry } })
  t.teardown(() => second.stop())
  await t.rejects(second.start(), { code: 'RIVERHOOK_OPTIONS_INVALID', message: /already been registered/ })
})

t.test("a histogram exports what the library's would export for the same values", async (t) => {
  const limits = [0.001, 0.25, 1, 2.5, 512]
  const value = fc.oneof(fc.constantFrom(...limits), fc.double({ min: 0, max: 1_000, noNaN: true }))
  const values = fc.array(fc.tuple(fc.constantFrom('a', 'b"', 'c\n', '10', '2'), value))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom<BucketsOptions['labels']>([], ['handler']), values, async (labels, observed) => {
      const [own, other] = [new Registry(), new Registry()]
      const options = { name: 'seconds', help: 'Help', labels, buckets: limits }
      const made = new Buckets(options, own)
      const expected = new Histogram({ ...options, labelNames: [...labels], buckets: limits, registers: [other] })
      const observe = ([name, seconds]: (typeof observed)[number]): void => {
        const given = labels.length === 0 ? {} : { handler: name }
        made.observe(given, seconds)
        expected.observe(given, seconds)
      }
      for (const each of observed) observe(each)
      t.equal(await own.metrics(), await other.metrics())
      const valuesOf = async (registry: Registry) =>
        (await registry.getMetricsAsJSON()).flatMap(({ values }) =>
          values.map((each: MetricValueWithName<string>) => [each.metricName, each.labels, each.value])
        )
      t.same(await valuesOf(own), await valuesOf(other))
      own.resetMetrics()
      other.resetMetrics()
      for (const each of observed.slice(1)) observe(each)
      t.equal(await own.metrics(), await other.metrics())
    })
  )
})

t.test('a host may change the labels of what a registry exports', async (t) => {
  const registry = new Registry()
  const histogram = new Buckets({ name: 'seconds', help: 'Help', labels: ['handler'], buckets: [1] }, registry)
  const labels = { handler: 'a' }
  histogram.observe(labels, 1)
  const before = await registry.metrics()
  for (const { values } of await registry.getMetricsAsJSON())
    for (const each of values as { labels: Record<string, string> }[]) each.labels['job'] = 'b'
  t.equal(await registry.metrics(), before)
  t.same(labels, { handler: 'a' })
})

t.test('without the option, and before the start, there is no page', async (t) => {
  for (const metrics of [undefined, false, true]) {
    const riverhook = createRiverhook({ secrets: secret, inbox: 'memory:', log, metrics })
    await t.rejects(riverhook.metrics(), { code: 'RIVERHOOK_OPTIONS_INVALID' })
  }
  t.throws(() => createRiverhook({ secrets: secret, inbox: 'memory:', log, metrics: { registry: {} } as never }), {
    message: /"metrics/
  })
})

// Risk: a sender who fills the memory of Prometheus with types, and of this process with series.
t.test('ten thousand hostile types and handler names keep the page below 5,000 series', async (t) => {
  const realm = 'digital-river'
  const names = fc.sample(binaryText({ minLength: 1, maxLength: 200 }), { numRuns: 10_000, seed: 7 })
  const subject = quietSubject({
    endpoints: [{ path: endpoint, realm, hasBackfill: true }],
    handlers: names.map((name) => ({ name, concurrency: 1 })),
    types: names
  })
  const metrics = new Metrics(new Registry(), subject)
  t.teardown(() => {
    metrics.end()
  })
  const messages = { realm, event_id: 'e', attempt: 1, duration_ms: 1 }
  for (const name of names) {
    publish('received', { ...messages, endpoint, event_type: name, result: 'accepted', age_ms: 1 })
    publish('received', { ...messages, endpoint: name, event_type: name, result: 'accepted', age_ms: 1 })
    publish('drift', { endpoint, realm, event_type: name, path: name, rule: name, handler: name, is_new: true })
    const settled = { ...messages, event_type: name, latency_ms: 1, error: undefined }
    publish('settled', { ...settled, handler: name, state: 'done' })
    publish('settled', { ...settled, handler: `${name}!`, state: 'dead' })
  }
  const page = await metrics.text()
  const samples = page.split('\n').filter((line) => /^riverhook_/.test(line))
  t.ok(samples.length < 5_000, `${samples.length} series`)
  t.notMatch(
    page
      .split('\n')
      .filter((line) => !/^(riverhook_[a-z_]+(\{.*\})? \S+|# (HELP|TYPE) .*|)$/su.test(line))
      .join('\n'),
    /\S/,
    'no name breaks a line'
  )
})

t.test('every action of the audit log is a label', (t) => {
  const found = globSync('src/**/*.ts', { cwd: new URL('../../', import.meta.url) }).flatMap((file) =>
    [...readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').matchAll(/action: '([a-z]+\.[a-z]+)'/g)].map(
      ([, action]) => action
    )
  )
  t.same([...new Set(found)].toSorted(), actions)
  t.end()
})
