import { context, trace, TraceFlags } from '@opentelemetry/api'
import { Registry } from '@prometheus-io/client'
import t, { type Test } from 'tap'

import { createRiverhook, memoryInbox, type MetricsOptions } from '../../../src/index.ts'
import { serverMetrics } from '../../../src/server/metrics.ts'
import { event, secret, signatureHeaders } from '../../receive/receiver.ts'
import { whenSettled } from '../../../src/testing/index.ts'
import { log } from '../log.ts'
import { inServerSpan, startSdk } from '../traces/sdk.ts'

// Risk: a graph shows that requests are slow, and nothing leads to one of them.

const seen = startSdk()

async function startWith(t: Test, metrics: MetricsOptions) {
  const inbox = memoryInbox()
  const riverhook = createRiverhook({ path: '/hook', secrets: secret, inbox, log, metrics })
  riverhook.on('order.accepted', { name: 'ship' }, () => undefined)
  await riverhook.start()
  t.teardown(() => riverhook.stop())
  const send = async (id: string): Promise<void> => {
    const body = event({ id, type: 'order.accepted' })
    const headers = { 'content-type': 'application/json', ...signatureHeaders(body) }
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
    t.equal((await riverhook.receive({ method: 'POST', url: '/hook', headers: lower, body })).status, 202)
  }
  return { riverhook, inbox, send }
}

const bucketsOf = (page: string, name: string): string =>
  page
    .split('\n')
    .filter((line) => line.startsWith(`riverhook_${name}_bucket`))
    .join('\n')

t.test('the durations of requests and attempts name a sampled trace', async (t) => {
  const { riverhook, inbox, send } = await startWith(t, { exemplars: true })
  await inServerSpan('POST /hook', () => send('e1'))
  await whenSettled(inbox, 'e1', { deliveries: 1 })
  await riverhook.drain()
  const page = await riverhook.metrics()
  t.match(page, /# EOF\n$/, 'the format of OpenMetrics')
  const [server] = seen().filter(({ name }) => name === 'POST /hook')
  const [attempt] = seen().filter(({ name }) => name === 'process ship')
  t.ok(server && attempt)
  const exemplar = (span: typeof server): string => `# {trace_id="${span?.trace}",span_id="${span?.id}"}`
  t.match(bucketsOf(page, 'request_duration_seconds'), exemplar(server))
  t.match(bucketsOf(page, 'attempt_duration_seconds'), exemplar(attempt))
  t.notMatch(bucketsOf(page, 'delivery_latency_seconds'), '#')
})

t.test('a trace that is not sampled is not named, and no request fails', async (t) => {
  const { riverhook, send } = await startWith(t, { exemplars: true })
  const spanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: TraceFlags.NONE }
  await context.with(trace.setSpanContext(context.active(), spanContext), () => send('e2'))
  t.notMatch(bucketsOf(await riverhook.metrics(), 'request_duration_seconds'), '#')
})

t.test('without the option, the page has the plain format', async (t) => {
  const { riverhook, send } = await startWith(t, {})
  await inServerSpan('POST /hook', () => send('e3'))
  t.notMatch(await riverhook.metrics(), /trace_id|EOF/)
})

t.test('a registry of the host must be one of OpenMetrics', async (t) => {
  const start = (registry: NonNullable<MetricsOptions['registry']>) =>
    startWith(t, { registry, exemplars: true }).then(({ riverhook }) => riverhook.metrics())
  await t.rejects(start(new Registry()), { code: 'RIVERHOOK_OPTIONS_INVALID', message: /metrics\.exemplars/ })
  t.match(await start(new Registry(Registry.OPENMETRICS_CONTENT_TYPE)), /riverhook_build_info/)
})

t.test('the page of a server has the content type of its format', async (t) => {
  const made = await serverMetrics({ options: { metrics: { exemplars: true } } })
  t.match(made, { exemplars: true, registry: { contentType: Registry.OPENMETRICS_CONTENT_TYPE } })
  t.match(await made?.registry.metrics(), /process_cpu_seconds/)
  t.match((await serverMetrics({ options: { metrics: true } }))?.registry.contentType, /^text\/plain/)
})
