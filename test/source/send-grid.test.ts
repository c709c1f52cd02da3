import { EventWebhook, EventWebhookHeader } from '@sendgrid/eventwebhook'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import t from 'tap'

import { sendGrid } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'
import { configOnPage, receiverOf } from './receiver-of.ts'

// Risk: the bounces and complaints that keep the user's mails out of spam folders.

/** From the tests of SendGrid's own library: a request with one event, and one with two. The line ends are signed. */
const vectors = [
  {
    secret:
      'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==',
    signature: 'MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=',
    timestamp: '1600112502',
    body: `${JSON.stringify([
      {
        email: 'hello@world.com',
        event: 'dropped',
        reason: 'Bounced Address',
        sg_event_id: 'ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA',
        sg_message_id: 'LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0',
        'smtp-id': '<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>',
        timestamp: 1600112492
      }
    ])}\r\n`,
    events: [{ id: 'ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA', type: 'dropped' }]
  },
  {
    secret:
      'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQ4LIFtWztlsF7skFqOncjD1lun4H5w8XOhyOArHW9RcIx/FfEzx6cikC/yPfUvwaX/JScE7Fc9CJD2afQ9Ok3Q==',
    signature: 'MEYCIQC/I4o6vCgqRYrTljjoVWB/GRWNtxeePlLMHr3x9ETeRQIhAIpV+03nREPTTHWSW0wIOA0EoMPdcNgXa70yCaqDJlu5',
    timestamp: '1619651159',
    body: `${JSON.stringify([
      {
        email: 'invalid@gmail.com',
        event: 'processed',
        send_at: 0,
        sg_event_id: 'cHJvY2Vzc2VkLTE5OTQyMTEyLXFOd0JMZ1BRUWpXNkRKdktRd1NBYnctMA',
        sg_message_id: 'qNwBLgPQQjW6DJvKQwSAbw.filterdrecv-canary-547b64655b-cw6zx-1-6089EA4A-56.0',
        'smtp-id': '<qNwBLgPQQjW6DJvKQwSAbw@ismtpd0178p1mdw1.sendgrid.net>',
        timestamp: 1619651146
      },
      {
        email: 'invalid@gmail.com',
        event: 'bounce',
        ip: '167.89.101.76',
        reason:
          '552 5.2.2 The email account that you tried to reach is over quota and inactive. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaPerm c17si1130468pgv.34 - gsmtp',
        sg_event_id: 'Ym91bmNlLTAtMTk5NDIxMTItcU53QkxnUFFRalc2REp2S1F3U0Fidy0w',
        sg_message_id: 'qNwBLgPQQjW6DJvKQwSAbw.filterdrecv-canary-547b64655b-cw6zx-1-6089EA4A-56.0',
        'smtp-id': '<qNwBLgPQQjW6DJvKQwSAbw@ismtpd0178p1mdw1.sendgrid.net>',
        status: '5.2.2',
        timestamp: 1619651147,
        tls: 1,
        type: 'blocked'
      }
    ])
      .split('},{')
      .join('},\r\n{')}\r\n`,
    events: [
      { id: 'cHJvY2Vzc2VkLTE5OTQyMTEyLXFOd0JMZ1BRUWpXNkRKdktRd1NBYnctMA', type: 'processed' },
      { id: 'Ym91bmNlLTAtMTk5NDIxMTItcU53QkxnUFFRalc2REp2S1F3U0Fidy0w', type: 'bounce' }
    ]
  }
] as const

/** An elliptic curve is a hundred times as slow as an HMAC. */
const few = { requests: 150 }

const keys = [newKeys(), newKeys()] as const

function newKeys(): { readonly public: string; readonly private: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    public: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    private: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64')
  }
}

t.test('it meets the contract of a source with the published requests', (t) => {
  const { sign, ...source } = sendGrid()
  t.type(sign, 'function')
  return sourceContract(
    t,
    source,
    vectors.map(({ secret, signature, timestamp, body, events }) => ({
      body,
      headers: { [EventWebhookHeader.SIGNATURE()]: signature, [EventWebhookHeader.TIMESTAMP()]: timestamp },
      secret,
      otherSecret: keys[0].public,
      at: new Date(Number(timestamp) * 1_000),
      events
    })),
    few
  )
})

t.test('it meets the contract of a source with its own signatures', (t) =>
  sourceContract(
    t,
    sendGrid(),
    [
      {
        body: '[{"event":"open","sg_event_id":"e1","email":"zoë@example.com"}]',
        secret: keys[0].private,
        otherSecret: keys[1].private,
        events: [{ id: 'e1', type: 'open' }]
      }
    ],
    few
  )
)

t.test('the library accepts our signatures', async (t) => {
  const body = '[{"event":"click","sg_event_id":"e1"}]'
  const signed = sendGrid().sign({ body: Buffer.from(body), secret: keys[0].private, at: new Date() })
  const library = new EventWebhook()
  const verify = (text: string): boolean =>
    library.verifySignature(
      library.convertPublicKeyToECDSA(keys[0].public),
      text,
      signed[EventWebhookHeader.SIGNATURE()] ?? '',
      signed[EventWebhookHeader.TIMESTAMP()] ?? ''
    )
  t.equal(verify(body), true)
  t.equal(verify(`${body} `), false)
})

t.test('a batch is passed to handlers event by event; a retry is a duplicate; a changed one is refused', async (t) => {
  const mail = sendGrid()
  const { riverhook, deliver, settled } = receiverOf(t, { source: mail, secrets: keys[0].public })
  const bounced: unknown[] = []
  riverhook.from(mail).on('bounce', (event) => {
    bounced.push([event.id, event.createdTime, event.payload['reason']])
  })
  await riverhook.start()
  const at = new Date()
  const body = Buffer.from(
    '[{"event":"processed","sg_event_id":"e1","timestamp":1619651146},{"event":"bounce","sg_event_id":"e2","timestamp":1619651147,"reason":"full"},{"event":"bounce"}]\r\n'
  )
  const headers = mail.sign({ body, secret: keys[0].private, at })
  t.match(await deliver(headers, body), { status: 202, body: /"e1","status":"accepted".*"e2","status":"accepted"/ })
  await settled(2)
  t.match(bounced.sort(), [
    [/^[0-9a-f]{64}$/, undefined, undefined],
    ['e2', '2021-04-28T23:05:47.000Z', 'full']
  ])
  t.match(await deliver(headers, body), { status: 202, body: /"e1","status":"duplicate".*"e2","status":"duplicate"/ })
  t.match(await deliver(headers, Buffer.from(String(body).replace('full', 'fool'))), { status: 401 })
  t.equal(bounced.length, 2)
})

t.test('a batch keeps every digit of its events', (t) => {
  const events = ['{"event":"open","order":9007199254740993}', '{"event":"click","order":1.10}']
  const request = { method: 'POST', url: '/', headers: {}, body: Buffer.from(`[${events.join(', ')}]\r\n`) }
  t.same(
    sendGrid()
      .split?.(request)
      .map(({ body }) => String(body)),
    events
  )
  t.end()
})

t.test('a key of another kind is refused at the start', (t) => {
  const source = sendGrid({ name: 'newsletter' })
  t.equal(source.name, 'newsletter')
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey
  for (const secret of ['whsec_AAAA', 'AAAA', p384.export({ format: 'der', type: 'spki' }).toString('base64')])
    t.throws(() => source.verifier([keys[0].public, secret]), {
      code: 'RIVERHOOK_SOURCE_SECRET',
      message: /number 2 is not a public key of P-256/
    })
  t.throws(() => source.sign({ body: Buffer.from('[]'), secret: keys[0].public, at: new Date() }), {
    message: /public key cannot sign/
  })
  t.throws(() => sendGrid({ nam: 'x' } as never), { code: 'RIVERHOOK_OPTIONS_INVALID', message: /did you mean "name"/ })
  const pem = createPublicKey({ key: Buffer.from(keys[0].public, 'base64'), format: 'der', type: 'spki' }).export({
    format: 'pem',
    type: 'spki'
  })
  t.throws(() => source.verifier([String(pem)]), { code: 'RIVERHOOK_SOURCE_SECRET' })
  t.end()
})

t.test('the config on its page runs', async (t) => {
  const { deliver, riverhook, settled, logged } = receiverOf(
    t,
    await configOnPage(t, 'send-grid', { RIVERHOOK_SECRETS: keys[0].public })
  )
  await riverhook.start()
  const body = Buffer.from('[{"event":"bounce","sg_event_id":"e1","reason":"full"}]')
  t.match(await deliver(sendGrid().sign({ body, secret: keys[0].private, at: new Date() }), body), { status: 202 })
  await settled(1)
  t.match(logged, [/full.*stop writing to this address/])
})
