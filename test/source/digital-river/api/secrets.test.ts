import { inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'

import { anyText } from '../../../any-text.ts'
import { DigitalRiverApiError } from '../../../../src/source/digital-river/api/api-error.ts'
import { masker } from '../../../../src/source/http/mask.ts'
import { apiKey, rig, type Reply, type Seen } from './api-server.ts'

const password = 'pa"ss wörd&1'
const clientSecret = 'client/secret+2='
const secrets = [apiKey, password, clientSecret]
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** An answer that quotes the whole request, in every field that is part of an error. */
const echo = ({ headers, body }: Seen): Reply => {
  const json = JSON.stringify(body)
  const basic = base64(`shop:${password}`)
  const text = `${headers.authorization ?? ''} ${json} ${password} ${clientSecret} ${encodeURIComponent(password)} ${basic}`
  return {
    status: 400,
    headers: { 'x-request-id': `req ${clientSecret}` },
    body: {
      type: text,
      errors: [{ code: text, parameter: 'invalid_echo', message: text }, text, { description: text }]
    }
  }
}

const shapes = (error: unknown) =>
  [
    String(error),
    inspect(error, { depth: 9, showHidden: true }),
    JSON.stringify(error),
    (error as Error).stack ?? ''
  ].join('\n')

t.test('no key, password or client secret is in an error, in any form that the provider quotes', async (t) => {
  const { client } = await rig(t, (seen) => (seen.method === 'GET' ? { body: [] } : echo(seen)))
  const address = 'https://shop.example/hook'
  const oauth = { tokenEndPoint: 'https://shop.example/token', clientID: 'us', clientSecret, password }
  const authentication = { username: 'shop', password }
  const calls = [
    {
      sent: [clientSecret, password],
      call: () => client.webhooks.create({ address, types: ['a'], transportType: 'OAUTH', oauth })
    },
    {
      sent: [password, `shop:${password}`],
      call: () => client.webhooks.create({ address, types: ['a'], authentication })
    },
    { sent: [clientSecret, password], call: () => client.webhooks.update('wh-1', { transportType: 'OAUTH', oauth }) },
    { sent: [password, `shop:${password}`], call: () => client.webhooks.update('wh-1', { authentication }) }
  ]
  for (const { sent, call } of calls) {
    const error = await call().then(
      () => undefined,
      (error: unknown) => error
    )
    t.ok(error instanceof DigitalRiverApiError)
    const text = shapes(error)
    t.match(text, 'invalid_echo: Bearer ***', 'the provider did quote it')
    t.notOk(text.includes(apiKey), 'the key')
    for (const secret of sent) {
      for (const shape of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), base64(secret)]) {
        t.notOk(text.includes(shape), 'neither unchanged nor inside JSON, a URL or basic authentication')
      }
    }
  }
})

t.test('a value that is refused before it is sent is not quoted either', async (t) => {
  const { client, seen } = await rig(t, () => ({ body: [] }))
  const wrong = { address: 'https://a.example', types: ['a'], authentication: { username: '', password } }
  const error = await client.webhooks.create(wrong).catch((error: unknown) => error)
  t.match(error, { code: 'RIVERHOOK_OPTIONS_INVALID', message: /authentication.username/ })
  t.notOk(secrets.some((secret) => shapes(error).includes(secret)))
  t.equal(seen.length, 0)
})

t.test('the client can be logged without its key', async (t) => {
  const { client } = await rig(t, () => ({ body: [] }))
  t.notMatch(inspect(client, { depth: 9, showHidden: true }), apiKey)
  t.notMatch(JSON.stringify(client), apiKey)
})

t.test('an answer that cannot be read is not quoted, because a webhook has secrets', async (t) => {
  const { client } = await rig(t, () => ({ body: `{"id": "wh-1", "oauth": {"clientSecret": "${clientSecret}", }` }))
  const error = await client.webhooks.retrieve('wh-1').catch((error: unknown) => error)
  t.match(error, { code: 'RIVERHOOK_API_ANSWER' })
  t.notOk(shapes(error).includes(clientSecret))
})

t.test('for any secrets and text, no secret is left, and no control character breaks the log', async (t) => {
  const secret = anyText({ minLength: 4 }).filter((text) => !/[\s*\p{Cc}\p{Cf}]/u.test(text))
  fc.assert(
    fc.property(fc.array(secret, { minLength: 1, maxLength: 3 }), anyText(), (secrets, noise) => {
      const text = masker(secrets)(
        secrets
          .map((secret) => `${noise}${secret}${encodeURIComponent(secret.toWellFormed())}${JSON.stringify(secret)}`)
          .join()
      )
      return secrets.every((secret) => !text.includes(secret)) && !/\p{Cc}/u.test(text)
    })
  )
  t.end()
})

t.test('a text of any length is shortened', async (t) => {
  t.ok(masker([])('x'.repeat(1_000_000)).length < 600)
})
