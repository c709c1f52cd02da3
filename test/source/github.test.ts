import { createHash } from 'node:crypto'
import { sign, verify } from '@octokit/webhooks-methods'
import t from 'tap'

import { github } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'

// Risk: the events of GitHub, of either content type, or an id that a forger can choose.

const secret = "It's a Secret to Everybody"
const id = '72d3162e-cc78-11e3-81ab-4c9367dc0958'
const json = '{"action":"opened","issue":{"number":1,"title":"A + B = ü & more"}}'
const form = `payload=${encodeURIComponent(json).replaceAll('%20', '+')}`
const event = { id, type: 'issues.opened' }
const headers = { 'x-github-event': 'issues' }
const source = github()
const requestOf = (body: string, signature: string) => ({
  method: 'POST',
  url: '/',
  headers: { ...headers, 'x-github-delivery': id, 'x-hub-signature-256': signature },
  body: Buffer.from(body)
})

t.test('it meets the contract of a source', (t) =>
  sourceContract(t, source, [
    { body: json, headers, secret, events: [event] },
    { body: form, headers, secret, events: [event] },
    { body: '{"ref":"refs/heads/main"}', headers: { 'x-github-event': 'push' }, secret, events: [{ id, type: 'push' }] }
  ])
)

// From https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries and the tests of
// @octokit/webhooks-methods.
t.test('the published vectors are accepted', async (t) => {
  for (const [key, body, signature] of [
    [secret, 'Hello, World!', 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'],
    ['mysecret', '{"foo":"bar"}', 'sha256=4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3']
  ] as const) {
    t.equal(source.sign({ body: Buffer.from(body), secret: key, at: new Date() })['X-Hub-Signature-256'], signature)
    t.match(source.verifier([key]).verify(requestOf(body, signature), new Date(), 1), { ok: true, secret: 1 })
  }
})

t.test("octokit's signatures are accepted and read; octokit accepts ours", async (t) => {
  for (const body of [json, form]) {
    const request = requestOf(body, await sign(secret, body))
    t.match(source.verifier([secret]).verify(request, new Date(), 1), { ok: true, secret: 1 })
    t.same(source.read(request), { ok: true, event: { ...event, payload: JSON.parse(json) } })
    const signed = source.sign({ body: Buffer.from(body), secret, at: new Date(), id, type: 'issues.opened' })
    t.match(signed, { 'X-GitHub-Delivery': id, 'X-GitHub-Event': 'issues' })
    t.ok(await verify(secret, body, signed['X-Hub-Signature-256']!))
    t.notOk(await verify(secret, `${body} `, signed['X-Hub-Signature-256']!))
  }
})

t.test('the digest is the id: another delivery header is the same event', async (t) => {
  const byDigest = github({ id: 'digest' })
  const digest = createHash('sha256').update(json).digest('hex')
  const request = requestOf(json, await sign(secret, json))
  t.match(byDigest.read(request), { ok: true, event: { id: digest } })
  t.match(byDigest.read({ ...request, headers: { ...request.headers, 'x-github-delivery': 'another' } }), {
    ok: true,
    event: { id: digest }
  })
  await sourceContract(
    t,
    byDigest,
    [{ body: json, headers, secret, events: [{ id: digest, type: 'issues.opened' }] }],
    { requests: 100 }
  )
})

t.test('SHA-1 is not enough; a form without its field, or without UTF-8, is no event', async (t) => {
  const { verify: judge } = source.verifier([secret])
  const { 'x-hub-signature-256': _right, ...rest } = requestOf(json, '').headers
  t.match(
    judge(
      { headers: { ...rest, 'x-hub-signature': `sha1=${'0'.repeat(40)}` }, body: Buffer.from(json) },
      new Date(),
      1
    ),
    {
      ok: false,
      reason: 'no_header'
    }
  )
  t.match(source.read(requestOf('other=1', '')), { ok: false, message: 'The form lacks the field "payload"' })
  t.match(source.read(requestOf('payload=%E0%A4%A', '')), { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENCODING' })
  t.match(source.read(requestOf('payload=%7B', '')), { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_JSON' })
})
