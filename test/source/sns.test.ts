import { createHash, sign, type KeyObject } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import https from 'node:https'
import t, { type Test } from 'tap'

import { confirmSubscription, sns, type SnsMessage, type SnsSource } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'
import { fakeNetwork, makeCertificate, type Network } from './certificate.ts'
import { configOnPage, receiverOf } from './receiver-of.ts'

// Risk: the messages of the user's topics, or messages forged by others.

const topic = 'arn:aws:sns:us-west-2:123456789012:MyTopic'
const host = 'https://sns.us-west-2.amazonaws.com'
const address = `${host}/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem`
const certificate = makeCertificate('sns.amazonaws.com')
const at = new Date()

const notification: SnsMessage = {
  Type: 'Notification',
  MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
  TopicArn: topic,
  Subject: 'My First Message',
  Message: 'Hello Zoë!\nMessageId\nx',
  Timestamp: at.toISOString(),
  SignatureVersion: '2',
  SigningCertURL: address,
  UnsubscribeURL: `${host}/?Action=Unsubscribe&SubscriptionArn=${topic}:c9135db0`
}
const { Subject: _subject, UnsubscribeURL: _url, ...common } = notification
const confirmation: SnsMessage = {
  ...common,
  Type: 'SubscriptionConfirmation',
  MessageId: '165545c9-2a5c-472c-8df2-7ff2be2b3b1b',
  Token: '2336412f37f',
  Message: 'You have chosen to subscribe.',
  SubscribeURL: `${host}/?Action=ConfirmSubscription&TopicArn=${topic}&Token=2336412f37f`
}

const names = ['Message', 'MessageId', 'Subject', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']

/** As in Amazon's documentation: names and values in order, one per line. */
function textOf(message: SnsMessage): string {
  return names.flatMap((name) => (name in message ? [`${name}\n${String(message[name])}\n`] : [])).join('')
}

function signed(message: SnsMessage, key: KeyObject = certificate.privateKey): SnsMessage {
  const algorithm = message['SignatureVersion'] === '1' ? 'RSA-SHA1' : 'RSA-SHA256'
  return { ...message, Signature: sign(algorithm, Buffer.from(textOf(message)), key).toString('base64') }
}

const bodyOf = (message: SnsMessage): Buffer => Buffer.from(JSON.stringify(message, undefined, 2))

const network = (known: Network = { [address]: certificate.pem }): ReturnType<typeof fakeNetwork> => fakeNetwork(known)

/** The parts that the signature covers; undefined for bytes that are no message. */
function signedPartOf(body: Uint8Array): unknown {
  try {
    const message = JSON.parse(Buffer.from(body).toString()) as SnsMessage
    const { Signature: signature, SigningCertURL: url, SignatureVersion: version } = message
    return JSON.stringify([textOf(message), Buffer.from(String(signature), 'base64').toString('hex'), url, version])
  } catch {
    return undefined
  }
}

const sampleOf = (message: SnsMessage) => ({
  body: bodyOf(message),
  headers: { 'content-type': 'text/plain; charset=UTF-8' },
  secret: topic,
  otherSecret: topic.replace('MyTopic', 'Theirs'),
  at,
  isSigned: (changed: Uint8Array) => signedPartOf(changed) !== signedPartOf(bodyOf(message)),
  events: [{ id: message.MessageId, type: message.Type }]
})

t.test('it meets the contract of a source: notifications of both versions, and confirmations', (t) =>
  sourceContract(
    t,
    sns({ fetch: network().fetch }),
    [
      sampleOf(signed(notification)),
      sampleOf(signed({ ...notification, SignatureVersion: '1' })),
      sampleOf(signed(confirmation)),
      sampleOf(signed({ ...confirmation, Type: 'UnsubscribeConfirmation' }))
    ],
    { requests: 300, toleranceMs: 86_400_000 }
  )
)

interface Validator {
  validate(message: object, done: (error: Error | null) => void): void
}

t.test("the source and Amazon's own validator accept the same messages", async (t) => {
  // It has no types.
  const SnsValidator = createRequire(import.meta.url)('sns-validator') as new () => Validator
  // It fetches the certificate itself.
  const { get } = https
  t.teardown(() => {
    https.get = get
  })
  https.get = ((_url: string, answer: (response: EventEmitter) => void) => {
    const response = Object.assign(new EventEmitter(), { statusCode: 200 })
    queueMicrotask(() => {
      answer(response)
      response.emit('data', certificate.pem)
      response.emit('end')
    })
    return new EventEmitter()
  }) as unknown as typeof get
  const validate = (message: SnsMessage): Promise<boolean> =>
    new Promise((resolve) => {
      new SnsValidator().validate({ ...message }, (error) => {
        resolve(error === null)
      })
    })
  const source = sns({ fetch: network().fetch })
  for (const message of [notification, { ...notification, SignatureVersion: '1' }, confirmation].map((each) =>
    signed(each)
  )) {
    t.equal(await validate(message), true)
    t.match(await verify(source, message), { ok: true, secret: 1, signedAt: at })
    for (const changed of [
      { ...message, Message: 'Hello' },
      { ...message, SigningCertURL: 'https://evil.example/a.pem' }
    ]) {
      t.equal(await validate(changed), false)
      t.match(await verify(source, changed), { ok: false, reason: 'no_match' })
    }
  }
})

async function verify(source: SnsSource, message: SnsMessage, now = at): Promise<unknown> {
  const request = { method: 'POST', url: '/', headers: {}, body: bodyOf(message) }
  return source.verifier([topic]).verify(request, now, 86_400_000)
}

t.test('a certificate is fetched once, and again after it has expired', async (t) => {
  const soon = new Date(at.getTime() + 3_600_000)
  const short = makeCertificate('sns', { to: soon, privateKey: certificate.privateKey })
  const known: Record<string, string> = { [address]: short.pem }
  const { fetch, asked } = network(known)
  const source = sns({ fetch })
  const message = signed(notification)
  await Promise.all([verify(source, message), verify(source, message)])
  t.match(await verify(source, message), { ok: true })
  t.same(asked, [address])
  const later = new Date(soon.getTime() + 1_000)
  t.match(await verify(source, message, later), { ok: false, detail: /is valid from .* to / })
  known[address] = certificate.pem
  t.match(await verify(source, message, later), { ok: true })
  t.match(await verify(source, message, later), { ok: true })
  t.equal(asked.length, 3)
})

t.test('only certificates of Amazon are fetched, and only for a configured topic', async (t) => {
  const { fetch, asked } = network()
  const source = sns({ fetch })
  for (const url of [
    'http://sns.us-west-2.amazonaws.com/a.pem',
    'https://sns.us-west-2.amazonaws.com.evil.example/a.pem',
    'https://evil.example/sns.us-west-2.amazonaws.com/a.pem',
    'https://user@sns.us-west-2.amazonaws.com/a.pem',
    'https://sns.us-west-2.amazonaws.com:8443/a.pem',
    'https://sns.us-west-2.amazonaws.com/a.pem?x=.pem',
    'https://sns.us-west-2.amazonaws.com/../a.pem',
    'https://s3.us-west-2.amazonaws.com/a.pem',
    `https://sns.us-west-2.amazonaws.com/${'a'.repeat(500)}.pem`,
    'file:///etc/passwd.pem',
    'a.pem'
  ])
    t.match(await verify(source, signed({ ...notification, SigningCertURL: url })), {
      ok: false,
      detail: /not one of the provider: it was not fetched/
    })
  const other = signed({ ...notification, TopicArn: topic.replace('MyTopic', 'Theirs') })
  t.match(await verify(source, other), { ok: false, detail: /of another topic than the 1 configured/ })
  t.same(asked, [])
})

t.test('anything but an RSA certificate is refused; a failed fetch is an error, so that Amazon retries', async (t) => {
  const small = makeCertificate('sns', { privateKey: await keyOf('small') })
  const curve = makeCertificate('sns', { privateKey: await keyOf('curve') })
  for (const [content, detail] of [
    [404, /is not there \(status 404\)/],
    ['no certificate', /is not a certificate in PEM/],
    [certificate.pem.padEnd(70_000), /is not a certificate in PEM/],
    [small.pem, /has no RSA key of 2048 to 8192 bits/],
    [curve.pem, /has no RSA key/]
  ] as const)
    t.match(await verify(sns({ fetch: network({ [address]: content }).fetch }), signed(notification)), {
      ok: false,
      reason: 'no_match',
      detail
    })
  for (const content of [503, 429, new TypeError('fetch failed')])
    await t.rejects(verify(sns({ fetch: network({ [address]: content }).fetch }), signed(notification)), {
      code: 'RIVERHOOK_RECEIVE_FAULT',
      message: /could not be fetched from sns\.us-west-2\.amazonaws\.com/
    })
})

t.test('the fetches of unknown certificates are limited', async (t) => {
  const { fetch, asked } = network()
  const source = sns({ fetch })
  const made = (index: number): SnsMessage => signed({ ...notification, SigningCertURL: `${host}/${index}.pem` })
  for (let index = 0; index < 29; index += 1) await verify(source, made(index))
  t.match(await verify(source, signed(notification)), { ok: true })
  await t.rejects(verify(source, made(30)), { message: /More than 30 certificates were asked for in a minute/ })
  t.match(await verify(source, signed(notification)), { ok: true }, 'the cached one is still used')
  t.match(await verify(source, made(31), new Date(at.getTime() + 61_000)), { ok: false })
  t.equal(asked.length, 31)
})

async function keyOf(kind: 'small' | 'curve'): Promise<KeyObject> {
  const { generateKeyPairSync } = await import('node:crypto')
  return kind === 'small'
    ? generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey
    : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

t.test('one signature fits one message only: fields cannot be moved over line breaks', async (t) => {
  const source = sns({ fetch: network().fetch })
  // The same signed text, with its second line as the message.
  const moved = { ...signed(notification), Message: 'Hello Zoë!', MessageId: `x\nMessageId\n${notification.MessageId}` }
  t.equal(textOf(moved as SnsMessage), textOf(notification))
  t.match(await verify(source, moved), {
    ok: false,
    detail: /signed field "MessageId" of the message is missing, .* or has a line break/
  })
})

const plainText = { 'content-type': 'text/plain; charset=UTF-8' }

t.test('a handler confirms the subscription, after the request, and again after a failure', async (t) => {
  const known: Record<string, string | number> = {
    [address]: certificate.pem,
    [String(confirmation.SubscribeURL)]: 503
  }
  const { fetch, asked } = network(known)
  const source = sns({ fetch })
  const { riverhook, deliver, settled, logged } = receiverOf(t, { source, secrets: topic, retry: { base: 1, cap: 1 } })
  const own = riverhook.from(source)
  own.on('SubscriptionConfirmation', confirmSubscription({ fetch }))
  own.on('Notification', ({ payload }, { log }) => {
    log.info({ text: payload.Message }, 'message')
  })
  await riverhook.start()
  t.match(await deliver(plainText, bodyOf(signed(confirmation))), { status: 202 })
  await settled(1)
  known[String(confirmation.SubscribeURL)] = '<ConfirmSubscriptionResponse/>'
  await confirmed(t, logged, settled)
  const body = bodyOf(signed(notification))
  t.match(await deliver(plainText, body), { status: 202, body: /accepted/ })
  t.match(await deliver(plainText, body), { status: 202, body: /duplicate/ })
  t.match(await deliver(plainText, bodyOf({ ...signed(notification), Message: 'x' })), { status: 401 })
  t.equal(asked.filter((url) => url === address).length, 1)
  t.ok(asked.filter((url) => url === confirmation.SubscribeURL).length > 1)
})

/** Waits for the log line of the confirmation, one settled delivery after the other. */
async function confirmed(t: Test, logged: readonly string[], settled: (count: number) => Promise<void>): Promise<void> {
  for (let count = 1; !logged.some((line) => line.includes('subscription confirmed')); count += 1) await settled(count)
  t.match(logged.join(), topic)
}

t.test('an expired token, or another address, is a dead letter at once', async (t) => {
  const run = (message: SnsMessage, status = 400): Promise<void> =>
    confirmSubscription({ fetch: network({ [String(message.SubscribeURL)]: status }).fetch })(
      { payload: message },
      { signal: new AbortController().signal, log: { info: () => undefined } }
    )
  await t.rejects(run(confirmation), { name: 'PermanentError', message: /subscribe the endpoint again/ })
  await t.rejects(run(confirmation, 403), { name: 'Error', message: /answered 403/ })
  for (const url of [
    'https://evil.example/',
    'http://sns.us-west-2.amazonaws.com/',
    'https://a@sns.us-west-2.amazonaws.com/'
  ])
    await t.rejects(run({ ...confirmation, SubscribeURL: url }, 200), {
      name: 'PermanentError',
      message: /not fetched/
    })
})

t.test('a certificate that cannot be fetched is answered 500, because Amazon does not retry after a 4xx', async (t) => {
  const known: Record<string, string | number> = { [address]: 503 }
  const { deliver, riverhook } = receiverOf(t, { source: sns({ fetch: network(known).fetch }), secrets: topic })
  await riverhook.start()
  t.match(await deliver(plainText, bodyOf(signed(notification))), { status: 500 })
  known[address] = certificate.pem
  t.match(await deliver(plainText, bodyOf(signed(notification))), { status: 202 })
})

t.test('the secrets are the ARNs of topics', (t) => {
  t.throws(() => sns().verifier([topic, 'MyTopic']), {
    code: 'RIVERHOOK_SOURCE_SECRET',
    message: /number 2 is not the ARN of a topic/
  })
  t.doesNotThrow(() => sns().verifier(['arn:aws-cn:sns:cn-north-1:123456789012:orders.fifo']))
  t.throws(() => sns({ fetsh: fetch } as never), { code: 'RIVERHOOK_OPTIONS_INVALID', message: /did you mean "fetch"/ })
  t.end()
})

t.test('the config on its page runs', async (t) => {
  const { fetch } = network({ [address]: certificate.pem, [String(confirmation.SubscribeURL)]: 'confirmed' })
  const before = globalThis.fetch
  t.teardown(() => {
    globalThis.fetch = before
  })
  globalThis.fetch = fetch
  const { deliver, riverhook, settled, logged } = receiverOf(
    t,
    await configOnPage(t, 'sns', { RIVERHOOK_SECRETS: topic })
  )
  await riverhook.start()
  t.match(await deliver(plainText, bodyOf(signed(confirmation))), { status: 202 })
  const message = signed({ ...notification, Message: '{"order":7}', MessageId: createHash('md5').digest('hex') })
  t.match(await deliver(plainText, bodyOf(message)), { status: 202 })
  await settled(2)
  t.match([...logged].sort(), [/"order":7.*pick/, /subscription confirmed/])
})
