import { generateKeyPairSync } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import t from 'tap'

import { standardWebhooks } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'

// Risk: the events of every provider that follows the standard.

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
const body = '{"type":"invoice.paid","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"in_1","name":"Zoë"}}'

// From the tests of the standard's JavaScript library.
const vector = {
  body: '{"test": 2432232314}',
  at: new Date(1_614_265_330_000),
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
}
// From the tests of the standard's Go library.
const asymmetric = {
  ...vector,
  secret: 'whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=',
  signature: 'v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=='
}

for (const [prefix, Sender] of [
  ['webhook', Webhook],
  ['svix', SvixWebhook]
] as const) {
  const source = standardWebhooks({ prefix })

  t.test(`${prefix}: it meets the contract of a source`, (t) =>
    sourceContract(t, source, [{ body, secret, events: [{ id, type: 'invoice.paid' }] }])
  )

  t.test(`${prefix}: its library's signatures are accepted, and the library accepts ours`, async (t) => {
    const at = new Date()
    const theirs = {
      [`${prefix}-id`]: id,
      [`${prefix}-timestamp`]: String(Math.floor(at.getTime() / 1_000)),
      [`${prefix}-signature`]: new Sender(secret).sign(id, at, body)
    }
    const request = { method: 'POST', url: '/', headers: theirs, body: Buffer.from(body) }
    t.match(source.verifier([secret]).verify(request, at, 300_000), { ok: true, secret: 1 })
    t.match(source.read(request), {
      ok: true,
      event: {
        id,
        type: 'invoice.paid',
        createdTime: '2022-11-03T20:26:10.344522Z',
        payload: { data: { name: 'Zoë' } }
      }
    })
    const ours = source.sign({ body: Buffer.from(body), secret, at, id })
    t.same(ours, theirs)
    t.doesNotThrow(() => new Sender(secret).verify(body, ours))
    t.throws(() => new Sender(secret).verify(`${body} `, ours))
  })
}

t.test('the published vectors are accepted', async (t) => {
  const source = standardWebhooks()
  for (const { body, at, signature, secret: key } of [{ ...vector, secret }, asymmetric]) {
    const signed = source.sign({ body: Buffer.from(body), secret: key, at, id })
    t.same(signed, { 'webhook-id': id, 'webhook-timestamp': '1614265330', 'webhook-signature': signature })
    t.match(source.verifier([key]).verify({ headers: signed, body: Buffer.from(body) }, at, 1_000), { ok: true })
  }
})

t.test('a public key verifies, together with secrets, and cannot sign', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32).toString('base64')
  const { sign, ...source } = standardWebhooks()
  const at = new Date()
  const headers = sign({ body: Buffer.from(body), secret: `whsk_${seed}`, at, id })
  const request = { method: 'POST', url: '/', headers, body: Buffer.from(body) }
  t.match(source.verifier([secret, `whpk_${raw}`]).verify(request, at, 1_000), { ok: true, secret: 2 })
  await sourceContract(t, source, [
    { body, headers, secret: `whpk_${raw}`, at, events: [{ id, type: 'invoice.paid' }] }
  ])
  t.throws(() => sign({ body: Buffer.from(body), secret: `whpk_${raw}`, at, id }), {
    code: 'RIVERHOOK_SOURCE_SECRET',
    message: /public key cannot sign/
  })
  t.throws(() => source.verifier([secret, 'whpk_AAAA']), {
    code: 'RIVERHOOK_SOURCE_SECRET',
    message: /number 2 is not an Ed25519 key/
  })
})

t.test('an option that the standard fixes is refused, and so is a misspelt one', async (t) => {
  t.throws(() => standardWebhooks({ prefx: 'svix', signed: '{body}' } as never), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /2 settings are wrong[^]*unknown option "prefx"; did you mean "prefix"\?[^]*unknown option "signed"/
  })
  t.throws(() => standardWebhooks({ prefix: 'svx' as never }), { message: /"prefix" must be 'webhook' or 'svix'/ })
  t.equal(standardWebhooks({ name: 'openai' }).name, 'openai')
})
