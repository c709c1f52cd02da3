import { createServer } from 'node:http'
import fc from 'fast-check'
import t from 'tap'

import { DigitalRiverApiError } from '../../../../src/source/digital-river/api/api-error.ts'
import { retryDelayMs } from '../../../../src/source/http/retry-delay.ts'
import { apiKey, listen, rig, webhook, type Reply } from './api-server.ts'

const failing = (times: number, failure: Reply, then: Reply) => (_seen: unknown, number: number) =>
  number <= times ? failure : then

t.test('GET, PATCH and DELETE are retried after 408, 429, 5xx and a connection that was cut', async (t) => {
  const failures: Reply[] = [
    { status: 408 },
    { status: 429 },
    { status: 500 },
    { status: 502, body: '<html>' },
    { status: 503 },
    'cut'
  ]
  for (const failure of failures) {
    const { client, seen, waits } = await rig(t, failing(3, failure, { body: webhook() }))
    t.match(await client.webhooks.update('wh-1', { enabled: true }), { id: 'wh-1' })
    t.equal(seen.length, 4)
    t.strictSame(waits, [250, 500, 1000], 'half of the longest wait, as random is 0.5')
  }
  const { client } = await rig(t, failing(1, { status: 500 }, { status: 204 }))
  await client.webhooks.delete('wh-1')
})

t.test('after the last retry the error has the number of attempts', async (t) => {
  const { client, seen } = await rig(t, () => ({ status: 503 }), { retries: 2 })
  await t.rejects(client.webhooks.list(), {
    status: 503,
    message: /refused with 503; after 3 tries\. .*Try again later/
  })
  t.equal(seen.length, 3)
  const none = await rig(t, () => 'cut', { retries: 0 })
  await t.rejects(none.client.webhooks.list(), {
    code: 'RIVERHOOK_API_UNREACHABLE',
    status: undefined,
    path: '/webhooks',
    method: 'GET'
  })
  t.equal(none.seen.length, 1, 'no retries are no retries')
})

t.test('a mistake of the caller is not retried', async (t) => {
  for (const status of [400, 401, 403, 404, 409]) {
    const { client, seen } = await rig(t, () => ({ status }))
    await t.rejects(client.webhooks.update('wh-1', { enabled: true }), { code: 'RIVERHOOK_API_REFUSED', status })
    t.equal(seen.length, 1)
  }
})

t.test('Retry-After is honoured; above two minutes the call fails instead', async (t) => {
  const soon = await rig(t, failing(1, { status: 429, headers: { 'retry-after': '120' } }, { body: [] }))
  await soon.client.webhooks.list()
  t.strictSame(soon.waits, [120_250])
  const late = await rig(t, () => ({ status: 429, headers: { 'retry-after': '121' } }))
  await t.rejects(late.client.webhooks.list(), {
    status: 429,
    retryAfterMs: 121_000,
    message: /rate limit.*Retry-After: 121/
  })
  t.strictSame([late.seen.length, late.waits.length], [1, 0])
})

t.test('Retry-After as a date, and an invalid one', async (t) => {
  const now = Date.UTC(2026, 0, 1)
  const at = (ms: number) => new Date(now + ms).toUTCString()
  t.equal(retryDelayMs(1, at(30_000), now, 0), 30_000)
  t.equal(retryDelayMs(1, at(-30_000), now, 0), 0)
  t.equal(retryDelayMs(1, at(121_000), now, 0), undefined)
  // Every recipient must read three formats (RFC 9110), and all of them are in UTC, wherever this machine is.
  const zone = process.env['TZ']
  process.env['TZ'] = 'America/New_York'
  for (const date of ['Thu, 01 Jan 2026 00:00:30 GMT', 'Thursday, 01-Jan-26 00:00:30 GMT', 'Thu Jan  1 00:00:30 2026'])
    t.equal(retryDelayMs(1, date, now, 0), 30_000, date)
  if (zone === undefined) delete process.env['TZ']
  else process.env['TZ'] = zone
  for (const nonsense of ['', '-5', '1.5', 'soon', '5 minutes'])
    t.equal(retryDelayMs(1, nonsense, now, 0.5), 250, nonsense)
  t.equal(retryDelayMs(1, '9'.repeat(400), now, 0), undefined)
})

t.test('a delay is finite, never negative, and within both limits, for any header and any attempt', async (t) => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), fc.option(fc.string()), random, (attempt, header, random) => {
      const ms = retryDelayMs(attempt, header, 0, random)
      return ms === undefined || (ms >= 0 && ms <= 140_000)
    })
  )
  t.end()
})

t.test('the time limit holds for an answer that never comes, and for a body that never ends', async (t) => {
  for (const failure of ['hang', 'stall'] as const) {
    const never = await rig(t, () => failure, { timeoutMs: 50, retries: 1 })
    await t.rejects(never.client.webhooks.retrieve('wh-1'), {
      code: 'RIVERHOOK_API_UNREACHABLE',
      message: /GET \/webhooks\/wh-1 got no answer: no complete answer within 50 ms, after 2 tries/
    })
    t.equal(never.waits.length, 1)
    const once = await rig(t, failing(1, failure, { body: webhook() }), { timeoutMs: 1_000 })
    t.match(await once.client.webhooks.retrieve('wh-1'), { id: 'wh-1' })
  }
})

t.test("if nothing listens, the system's reason is in the message", async (t) => {
  const server = createServer()
  const url = await listen(t, server)
  await new Promise((resolve) => server.close(resolve))
  const { client } = await rig(t, () => ({}), { apiUrl: url, retries: 0 })
  await t.rejects(client.events.retrieve('evt'), {
    code: 'RIVERHOOK_API_UNREACHABLE',
    message: /ECONNREFUSED.*Check the URL/
  })
})

t.test('a redirect is refused, so that the key is sent to no other server', async (t) => {
  const other = await rig(t, () => ({ body: [] }))
  for (const status of [301, 302, 307, 308]) {
    const { client } = await rig(t, () => ({ status, headers: { location: `${other.url}/webhooks` } }))
    await t.rejects(client.webhooks.list(), { status, message: /Redirects are not followed/ })
  }
  t.equal(other.seen.length, 0)
})

t.test('a DELETE that finds nothing after a retry has succeeded; at the first attempt it is an error', async (t) => {
  const again = await rig(t, failing(1, 'cut', { status: 404 }))
  await again.client.webhooks.delete('wh-1')
  t.equal(again.seen.length, 2)
  const never = await rig(t, () => ({ status: 404 }))
  await t.rejects(never.client.webhooks.delete('wh-1'), {
    name: 'DigitalRiverApiError',
    status: 404,
    method: 'DELETE',
    path: '/webhooks/wh-1'
  })
})

t.test("the error has the provider's message", async (t) => {
  const body = {
    type: 'bad_request',
    errors: [{ code: 'invalid_parameter', parameter: 'types', message: 'unknown type' }, { code: 'missing_parameter' }]
  }
  const { client } = await rig(t, () => ({ status: 400, headers: { 'x-request-id': 'r-77' }, body }))
  const error: unknown = await client.webhooks.update('wh-1', { enabled: true }).catch((error: unknown) => error)
  t.ok(error instanceof DigitalRiverApiError)
  t.match(error, {
    name: 'DigitalRiverApiError',
    code: 'RIVERHOOK_API_REFUSED',
    status: 400,
    statusCode: undefined,
    type: 'bad_request',
    errors: body.errors,
    requestId: 'r-77',
    method: 'PATCH',
    path: '/webhooks/wh-1',
    message:
      'PATCH /webhooks/wh-1 was refused with 400 bad_request: types: unknown type (invalid_parameter); missing_parameter; request id r-77'
  })
})

t.test('errors in every known form are read', async (t) => {
  const cases: [unknown, Record<string, unknown>][] = [
    [{ errors: [{ description: 'no such state' }] }, { type: undefined, errors: [{ message: 'no such state' }] }],
    [{ message: 'Forbidden' }, { errors: [{ message: 'Forbidden' }] }],
    ['<html><b>Bad gateway</b></html>', { type: undefined, errors: [] }],
    ['', { errors: [] }],
    ['null', { errors: [] }],
    ['[1]', { errors: [] }],
    [
      { type: 7, errors: [null, 3, 'plain', { code: 9, message: 'm\nn' }] },
      { type: undefined, errors: [{ message: 'plain' }, { message: 'm n' }] }
    ],
    [{ errors: { code: 'x' } }, { errors: [] }]
  ]
  for (const [body, wanted] of cases) {
    const { client } = await rig(t, () => ({ status: 400, body }))
    const error: unknown = await client.webhooks.retrieve('x').catch((error: unknown) => error)
    t.strictSame((error as DigitalRiverApiError).errors, wanted['errors'], JSON.stringify(body))
    t.equal((error as DigitalRiverApiError).type, wanted['type'])
    t.notMatch((error as Error).message, 'Bad gateway')
  }
})

t.test('the request id is found under the usual names', async (t) => {
  for (const name of ['x-request-id', 'request-id', 'x-correlation-id', 'x-amzn-requestid']) {
    const { client } = await rig(t, () => ({ status: 404, headers: { [name]: 'r-1' } }))
    await t.rejects(client.events.retrieve('x'), { requestId: 'r-1', message: /request id r-1$/ })
  }
})

t.test('401, 403 and 429 have instructions', async (t) => {
  const said = async (status: number) => {
    const { client } = await rig(t, () => ({ status }), { retries: 0 })
    return String(await client.webhooks.list().catch((error: unknown) => error))
  }
  t.match(await said(401), /Check the API key/)
  t.match(await said(403), /permission/)
  t.match(await said(429), /rate limit/)
})

t.test('an answer larger than 16 MiB is not read to its end', async (t) => {
  const chunk = Buffer.alloc(1024 * 1024, ' ')
  const url = await listen(
    t,
    createServer((_request, response) => {
      const go = () => {
        // Endless: only the client can end it.
        while (!response.destroyed && response.write(chunk)) continue
      }
      response.on('drain', go)
      go()
    })
  )
  const { client } = await rig(t, () => ({}), { apiUrl: url, apiKey, timeoutMs: 100_000 })
  await t.rejects(client.webhooks.list(), { code: 'RIVERHOOK_API_ANSWER', message: /more than 16 MiB/ })
})
