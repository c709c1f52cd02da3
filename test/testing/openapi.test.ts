import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import t from 'tap'

import { createDigitalRiver } from '../../src/testing/index.ts'
import { readOpenApi, withoutOpenApi, type OpenApiSchema } from '../openapi.ts'

// Risk: tests that pass with a simulator whose answers differ from the provider's.

/** Differences between the simulator and the document, and their reasons. */
const exceptions = {
  // The list has a placeholder for every date, and the provider's guide has latest.
  apiVersion: { anyOf: [{ enum: ['default', 'latest'] }, { type: 'string', format: 'date' }] },
  // The dashboard has the other one.
  grantType: { enum: ['password', 'client_credentials'] }
}

/** Converts a schema of OpenAPI 3.0 to JSON Schema. */
function asJsonSchema(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => asJsonSchema(each))
  if (typeof value !== 'object' || value === null) return value
  if (name in exceptions) return exceptions[name as keyof typeof exceptions]
  const { nullable, example: _example, $ref, ...schema } = value as OpenApiSchema & Record<string, unknown>
  if ($ref !== undefined) return { $ref: $ref.replace('#/components/schemas/', '#/$defs/') }
  const converted = Object.fromEntries(Object.entries(schema).map(([key, each]) => [key, asJsonSchema(each, key)]))
  return nullable === true ? { anyOf: [converted, { type: 'null' }] } : converted
}

t.test(
  'every answer, of every operation and of every status that it can give, is valid by the provider’s document',
  { skip: withoutOpenApi },
  async (t) => {
    const document = readOpenApi()
    const ajv = new Ajv({ strict: false, allErrors: true })
    formats.default(ajv)
    ajv.addFormat('double', true)
    const definitions = Object.fromEntries(
      ['Webhook', 'Errors', 'Error', 'Event', 'EventData'].map((name) => [
        name,
        asJsonSchema(document.components.schemas[name])
      ])
    )
    const river = await createDigitalRiver()
    t.teardown(() => river.close())
    const checked = new Set<string>()

    /** Calls the API and checks the answer against the document. */
    async function call(
      path: string,
      method: string,
      id = '',
      { body, query = '', key = river.apiKey }: { body?: unknown; query?: string; key?: string } = {}
    ): Promise<unknown> {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const answer = await fetch(`${river.url}${path.replace('{id}', id)}${query}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      const text = await answer.text()
      const operation = `${method} ${path} ${answer.status}`
      checked.add(operation)
      const response = document.paths[path]?.[method.toLowerCase()]?.responses[answer.status]
      if (response === undefined) return t.fail(`${operation} is not documented`)
      const schema = response.content?.['application/json']?.schema
      if (schema === undefined)
        return t.same([text, answer.headers.get('content-type')], ['', null], `${operation} is empty`)
      const json = JSON.parse(text) as unknown
      const validate = ajv.compile({ $defs: definitions, ...(asJsonSchema(schema) as object) })
      t.ok(validate(json), `${operation}: ${ajv.errorsText(validate.errors)}`)
      t.match(answer.headers.get('content-type'), /^application\/json/)
      return json
    }

    const plain = { address: 'https://a.example/', types: ['order.accepted', 'refund.failed'] }
    const oauth = { tokenEndPoint: 'https://a.example/', clientID: 'c', clientSecret: 's' }
    for (const body of [
      plain,
      { ...plain, apiVersion: '2021-12-13', enabled: false, authentication: { username: 'u', password: 'p' } },
      { ...plain, transportType: 'OAUTH', oauth },
      { ...plain, transportType: 'OAUTH', oauth: { ...oauth, grantType: 'client_credentials' } }
    ])
      await call('/webhooks', 'POST', '', { body })
    const [webhook] = (await call('/webhooks', 'GET')) as { id: string }[]
    const id = webhook?.id ?? ''
    // Form style, exploded.
    t.equal(
      ((await call('/webhooks', 'GET', '', { query: '?types=order.accepted&types=sku.created' })) as unknown[]).length,
      4
    )
    t.equal(((await call('/webhooks', 'GET', '', { query: '?type=sku.*' })) as unknown[]).length, 0)
    await call('/webhooks/{id}', 'GET', id)
    await call('/webhooks/{id}', 'PATCH', id, { body: { enabled: false } })
    await call('/webhooks/{id}', 'PATCH', id)
    for (let count = 0; count < 100; count += 1) river.addWebhook(plain)
    t.equal(((await call('/webhooks', 'GET')) as unknown[]).length, 100, 'no more in one answer')
    for (const type of ['order.accepted', 'order.chargeback', 'subscription.deleted', 'brand.new']) river.list(type)
    const { data } = (await call('/events', 'GET', '', { query: '?limit=2' })) as { data: { id: string }[] }
    await call('/events', 'GET', '', {
      query: '?types=order.accepted&types=order.chargeback&createdTime[gt]=2020-01-01T00:00:00Z'
    })
    await call('/events/{id}', 'GET', data[0]?.id)

    const operations = ['/webhooks', '/webhooks/{id}', '/events', '/events/{id}'].flatMap((path) =>
      Object.entries(document.paths[path] ?? {}).map(([method, { responses }]) => ({
        path,
        method: method.toUpperCase(),
        statuses: Object.keys(responses)
          .map(Number)
          .filter((status) => status >= 400)
      }))
    )
    t.equal(operations.length, 7)
    for (const { path, method, statuses } of operations) {
      await call(path, method, 'x', { key: 'sk_test_other' })
      if (path.includes('{id}')) await call(path, method, 'x', { body: method === 'GET' ? undefined : {} })
      for (const status of statuses) {
        river.faults.next({ status, ...(status === 429 ? { retryAfter: 1 } : {}) })
        await call(path, method, 'x')
      }
    }
    for (const body of [{}, [], { ...plain, types: ['order.*'] }]) await call('/webhooks', 'POST', '', { body })
    await call('/webhooks/{id}', 'PATCH', id, { body: { types: 'a' } })
    for (const query of ['?type=a&types=b', '?limit=0']) await call('/events', 'GET', '', { query })
    await call('/webhooks', 'GET', '', { query: '?type=a&types=b' })
    await call('/webhooks/{id}', 'DELETE', id)
    for (const { path, method, statuses } of operations)
      for (const status of statuses) t.ok(checked.has(`${method} ${path} ${status}`))
    t.same([...checked].filter((operation) => / 2\d\d$/.test(operation)).sort(), [
      'DELETE /webhooks/{id} 204',
      'GET /events 200',
      'GET /events/{id} 200',
      'GET /webhooks 200',
      'GET /webhooks/{id} 200',
      'PATCH /webhooks/{id} 200',
      'POST /webhooks 201'
    ])
  }
)

t.test('listed events have the number of pending webhooks; events in requests do not', async (t) => {
  const river = await createDigitalRiver({ retries: [60_000] })
  t.teardown(() => river.close())
  river.addWebhook({ address: 'http://127.0.0.1:1/', types: ['a'] })
  const { id } = await river.emit('a')
  const read = async (path: string): Promise<unknown> =>
    (await fetch(river.url + path, { headers: { authorization: `Bearer ${river.apiKey}` } })).json()
  t.match(await read(`/events/${id}`), { id, pendingWebhooks: 1 })
  t.match(await read('/events'), { data: [{ id, pendingWebhooks: 1 }] })
  t.match(await read(`/events/${river.list('a').id}`), { pendingWebhooks: 0 })
})
