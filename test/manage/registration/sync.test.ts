import t from 'tap'

import { Registry } from '../../../src/handlers/registry.ts'
import {
  planWebhook,
  syncWebhook,
  wantedWebhook,
  type RegistrationSettings
} from '../../../src/manage/registration/registration.ts'
import { sync, type WebhooksApi } from '../../../src/manage/registration/sync.ts'
import { DigitalRiverClient } from '../../../src/source/digital-river/api/client.ts'
import { digitalRiver } from '../../../src/source/digital-river/index.ts'
import { createClock, createDigitalRiver, type DigitalRiverSimulator } from '../../../src/testing/index.ts'

// Risk: a registration that differs from the code after a change of either, or after a network error.

const address = 'https://shop.example/hook'

function registryOf(...patterns: string[]): Registry {
  const registry = new Registry()
  for (const pattern of patterns) registry.on(pattern, () => undefined)
  return registry
}

function settingsFor(
  { url, apiKey }: DigitalRiverSimulator,
  changes: Partial<RegistrationSettings> = {}
): RegistrationSettings {
  return {
    address,
    handlers: registryOf('order.accepted', 'refund.*'),
    source: digitalRiver(),
    apiUrl: url,
    apiKey,
    ...changes
  }
}

const refundTypes = digitalRiver().types.filter((type) => type.startsWith('refund.'))

t.test('a missing webhook is created, and the second run does nothing', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const first = await syncWebhook(settingsFor(river))
  t.equal(first.result, 'created')
  t.match(river.webhooks, [{ address, enabled: true, types: ['order.accepted', ...refundTypes].sort() }])
  const second = await syncWebhook(settingsFor(river))
  t.equal(second.result, 'unchanged')
  t.equal(second.webhook.id, first.webhook.id)
  t.same(
    river.calls.filter(({ method }) => method !== 'GET').map(({ method }) => method),
    ['POST']
  )
})

t.test('a webhook that differs is changed; other webhooks are never touched', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const other = river.addWebhook({ address: 'https://shop.example/other', types: ['sku.created'], enabled: false })
  const oauth = { tokenEndPoint: 'https://shop.example/token', clientID: 'c', clientSecret: 's' }
  const ours = river.addWebhook({
    address,
    types: ['order.blocked'],
    enabled: false,
    apiVersion: '2021-12-13',
    transportType: 'OAUTH',
    oauth
  })
  t.equal((await syncWebhook(settingsFor(river))).result, 'updated')
  const patch = river.calls.find(({ method }) => method === 'PATCH')
  t.same(Object.keys(patch?.body as object).sort(), ['enabled', 'types'])
  t.match(
    river.webhooks.find(({ id }) => id === ours.id),
    { enabled: true, apiVersion: '2021-12-13', transportType: 'OAUTH', oauth }
  )
  t.same(
    river.webhooks.find(({ id }) => id === other.id),
    other
  )
})

t.test('credentials follow the code; equal ones are no difference', async (t) => {
  const river = await createDigitalRiver({ dialect: { userSpelling: 'userName' } })
  t.teardown(() => river.close())
  const settings = settingsFor(river, { basicAuth: { username: 'u', password: 'p1' } })
  await syncWebhook(settings)
  t.match(river.webhooks, [{ authentication: { username: 'u', password: 'p1' } }])
  t.equal((await syncWebhook(settings)).result, 'unchanged')
  t.equal((await syncWebhook({ ...settings, basicAuth: { username: 'u', password: 'p2' } })).result, 'updated')
  t.match(river.webhooks, [{ authentication: { username: 'u', password: 'p2' } }])
  const oauth = { tokenEndPoint: 'https://shop.example/token', clientID: 'c', clientSecret: 's' }
  await syncWebhook({ ...settings, basicAuth: undefined, oauth })
  t.match(river.webhooks, [{ transportType: 'OAUTH', oauth, authentication: undefined }])
  t.equal((await syncWebhook({ ...settings, basicAuth: undefined, oauth })).result, 'unchanged')
})

t.test('a plan changes nothing', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const plan = await planWebhook(settingsFor(river))
  t.equal(plan.found, undefined)
  t.equal(river.webhooks.length, 0)
})

t.test('replicas that start together end with one webhook', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const settings = settingsFor(river)
  const results = await Promise.all(Array.from({ length: 5 }, () => syncWebhook(settings)))
  t.equal(river.webhooks.length, 1)
  t.same([...new Set(results.map(({ webhook }) => webhook.id))], [river.webhooks[0]?.id], 'and all know it')
  t.ok(results.some(({ result }) => result === 'created'))
})

t.test('a create whose answer was lost is not repeated blindly', async (t) => {
  for (const fault of ['cut-after', 'cut-before', 'malformed'] as const) {
    const river = await createDigitalRiver()
    t.teardown(() => river.close())
    river.faults.next(fault, 1, { method: 'POST' })
    const { result, webhook } = await syncWebhook(settingsFor(river))
    t.equal(result, 'created', fault)
    t.same(
      river.webhooks.map(({ id }) => id),
      [webhook.id]
    )
  }
})

t.test('a webhook that is deleted during its change is created again', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  river.addWebhook({ address, types: ['order.blocked'] })
  const settings = settingsFor(river)
  const client = new DigitalRiverClient({ apiKey: river.apiKey, apiUrl: river.url })
  let deleted = false
  const racing: WebhooksApi = {
    webhooks: {
      ...client.webhooks,
      async update(id, changes) {
        if (!deleted) await client.webhooks.delete(id)
        deleted = true
        return client.webhooks.update(id, { types: [...(changes.types ?? [])] })
      }
    }
  }
  t.equal((await sync(racing, wantedWebhook(settings))).result, 'created')
  t.match(river.webhooks, [{ types: ['order.accepted', ...refundTypes].sort() }])
})

t.test('a webhook that another client keeps changing is reported, and the run ends', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  river.addWebhook({ address, types: ['order.blocked'] })
  river.faults.next({ status: 409 }, 100, { method: 'PATCH' })
  await t.rejects(syncWebhook(settingsFor(river)), { code: 'RIVERHOOK_MANAGE_UNSETTLED' })
})

t.test('a second webhook at the same address is left alone and reported', async (t) => {
  const clock = createClock()
  const river = await createDigitalRiver({ clock })
  t.teardown(() => river.close())
  await syncWebhook(settingsFor(river))
  // Of two webhooks created in the same millisecond, either may count as the older one.
  await clock.advance(1_000)
  const twin = river.addWebhook({ address, types: ['sku.created'] })
  const { result, plan } = await syncWebhook(settingsFor(river))
  t.equal(result, 'unchanged')
  t.same(
    plan.twins.map(({ id }) => id),
    [twin.id]
  )
  t.equal(river.webhooks.length, 2)
})

t.test(
  'a type that the provider has accepted before is requested, even if the catalogue does not have it',
  async (t) => {
    const river = await createDigitalRiver()
    t.teardown(() => river.close())
    river.addWebhook({ address, types: ['order.split', 'sku.created'] })
    await syncWebhook(settingsFor(river, { handlers: registryOf('order.split', 'order.other') }))
    t.same(river.webhooks[0]?.types, ['order.split'])
  }
)

t.test('with no types to request, nothing is done, and the reason is reported', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  await t.rejects(
    syncWebhook(settingsFor(river, { handlers: registryOf('order.acepted') })),
    /No handler takes a known event type \(handlers: order\.acepted\)/
  )
  t.equal(river.webhooks.length, 0)
})

t.test('a refused key ends the run, and a provider error is retried', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const refused: unknown = await syncWebhook(settingsFor(river, { apiKey: 'sk_test_wrong-and-hush' })).catch(
    (error: unknown) => error
  )
  t.match(refused, { status: 401 })
  t.notMatch(JSON.stringify(refused) + String(refused), /wrong-and-hush/)
  river.faults.next({ status: 503 }, 1)
  river.faults.next({ status: 429, retryAfter: 0 }, 1)
  t.equal((await syncWebhook(settingsFor(river))).result, 'created', 'retried')
})
