import t from 'tap'

import { createRiverhook } from '../../../src/index.ts'
import { Registry } from '../../../src/handlers/registry.ts'
import { keepRegistration } from '../../../src/manage/registration/watch.ts'
import { planWebhook, syncWebhook, type RegistrationSettings } from '../../../src/manage/registration/registration.ts'
import { stripe } from '../../../src/sources.ts'
import { startStripe, stripeKey } from './stripe-server.ts'

// Risk: a webhook that Stripe does not have as the handlers need it, or missed events that are not fetched.

const address = 'https://shop.example/stripe'
const source = stripe()

function settingsFor(url: string, patterns: readonly string[], more: Partial<RegistrationSettings> = {}) {
  const registry = new Registry('stripe')
  for (const pattern of patterns) registry.on(pattern, () => undefined)
  return { address, handlers: registry, source, apiKey: stripeKey, apiUrl: url, ...more }
}

t.test('sync creates the endpoint and shows its secret once; then it changes only differences', async (t) => {
  const { url, endpoints, calls } = await startStripe(t)
  const first = await syncWebhook(settingsFor(url, ['invoice.paid', 'charge.refunded'], { apiVersion: '2026-01-28' }))
  t.equal(first.result, 'created')
  t.equal(first.webhook.secret, 'whsec_shown_once')
  t.match(endpoints, [
    { url: address, enabled_events: ['charge.refunded', 'invoice.paid'], status: 'enabled', api_version: '2026-01-28' }
  ])
  t.equal((await syncWebhook(settingsFor(url, ['invoice.paid', 'charge.refunded']))).result, 'unchanged')
  endpoints[0]!.status = 'disabled'
  const plan = await planWebhook(settingsFor(url, ['invoice.*', '*']))
  t.same(
    plan.lines.map(({ sign, field, text }) => `${sign} ${field} ${text}`),
    [
      '+ types *',
      '- types charge.refunded (no handler for it)',
      '- types invoice.paid (no handler for it)',
      '~ enabled false -> true'
    ]
  )
  const changed = await syncWebhook(settingsFor(url, ['invoice.*', '*']))
  t.match(changed, { result: 'updated', webhook: { enabled: true, types: ['*'], secret: undefined } })
  t.equal(calls.at(-1)?.body, 'enabled_events%5B%5D=*&disabled=false')
  await t.rejects(syncWebhook(settingsFor(url, ['*'], { apiVersion: '2026-09-30' })), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /cannot change the API version/
  })
})

t.test('a creation whose answer is lost is retried, and makes one endpoint', async (t) => {
  const { url, endpoints, faults, calls } = await startStripe(t)
  // The first call lists the endpoints.
  faults.push({ body: { object: 'list', data: [], has_more: false } }, { status: 502 })
  const { webhook } = await syncWebhook(settingsFor(url, ['invoice.paid']))
  t.equal(webhook.secret, 'whsec_shown_once')
  t.equal(endpoints.length, 1)
  const [one, other] = calls.filter(({ method }) => method === 'POST').map(({ headers }) => headers['idempotency-key'])
  t.equal(one, other)
})

t.test('a server creates no endpoint, because its secret would be lost; it restores one', async (t) => {
  const { url, endpoints } = await startStripe(t)
  const lines: Record<string, unknown>[] = []
  const log = (keys: unknown, msg?: unknown): void => {
    lines.push({ ...(keys as object), msg })
  }
  const options = {
    ...settingsFor(url, ['invoice.paid']),
    endpoint: '/stripe',
    everyMs: 3_600_000,
    repair: true,
    log: { level: 'info', trace: log, debug: log, info: log, warn: log, error: log, fatal: log } as never
  }
  const failed = keepRegistration(options)
  await untilLine(lines, /could not be checked/)
  await failed.end()
  t.match(failed.status(), { state: 'unknown', lastError: /riverhook webhooks sync --address https/ })
  t.equal(endpoints.length, 0)
  await syncWebhook(settingsFor(url, ['invoice.paid']))
  endpoints[0]!.status = 'disabled'
  const kept = keepRegistration(options)
  await untilLine(lines, /is registered/)
  await kept.end()
  t.match(endpoints, [{ status: 'enabled' }])
  t.notMatch(JSON.stringify(lines), /whsec_/)
})

t.test('backfill: only missing events are recorded, all pages are read, and the handlers run', async (t) => {
  const now = Math.floor(Date.now() / 1000)
  const events = Array.from({ length: 230 }, (_, index) => ({
    id: `evt_${index}`,
    object: 'event',
    type: index % 2 === 0 ? 'invoice.paid' : 'charge.refunded',
    created: now - 60 - index,
    livemode: false,
    data: { object: { id: `in_${index}` } }
  }))
  const { url } = await startStripe(t, events)
  const log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {}, child: () => log }
  const riverhook = createRiverhook({
    inbox: 'memory:',
    log: log as never,
    endpoints: [{ path: '/stripe', source, secrets: 'whsec_a', backfill: { apiKey: stripeKey, apiUrl: url } }]
  })
  riverhook.from(source).on('invoice.paid', () => undefined)
  // Opens the inbox, and fetches the events of the last hours in the background.
  await riverhook.start()
  t.teardown(() => riverhook.stop())
  const report = await riverhook.backfill({ since: new Date((now - 3_600) * 1000) })
  t.equal(report.listed, 115)
  t.equal(report.arrived + report.recovered, 115)
  t.equal(report.oldest, new Date((now - 60 - 228) * 1000).toISOString())
  const old = await riverhook.backfill({ since: new Date((now - 40 * 86_400) * 1000), dryRun: true })
  t.ok(old.gap, 'Stripe lists 30 days')
})

t.test('a refusal by Stripe is an error with the reason, and without the key', async (t) => {
  const { url } = await startStripe(t)
  const wrong = { ...settingsFor(url, ['invoice.paid']), apiKey: 'sk_test_other' }
  const error = await syncWebhook(wrong).then(
    () => undefined,
    (error: unknown) => error as Error
  )
  t.match(error, { code: 'RIVERHOOK_API_REFUSED', status: 401, requestId: 'req_1', message: /Invalid API Key/ })
  t.notMatch(error?.message, /sk_test_other/)
  for (const more of [{ basicAuth: { username: 'u', password: 'p' } }, { oauth: { clientID: 'c' } }])
    await t.rejects(syncWebhook(settingsFor(url, ['invoice.paid'], more)), { code: 'RIVERHOOK_OPTIONS_INVALID' })
  await t.rejects(syncWebhook({ ...settingsFor(url, ['invoice.paid']), apiKey: undefined }), {
    message: /STRIPE_API_KEY/
  })
  t.throws(() => source.api?.({ apiKey: stripeKey, apiUrl: 'http://api.example' }), { message: /https/ })
  t.equal(source.api?.({ apiKey: 'rk_live_1' }).mode, 'live')
})

async function untilLine(lines: readonly Record<string, unknown>[], pattern: RegExp): Promise<void> {
  while (!lines.some(({ msg }) => pattern.test(String(msg)))) await new Promise((resolve) => setImmediate(resolve))
}
