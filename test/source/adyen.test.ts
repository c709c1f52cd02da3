// These files instead of the package, which loads the clients of all APIs.
import hmacValidator from '@adyen/api-library/lib/src/utils/hmacValidator.js'
import { NotificationRequestItem } from '@adyen/api-library/lib/src/typings/notification/notificationRequestItem.js'
import t from 'tap'

import { adyen, type AdyenItem } from '../../src/sources.ts'
import { sourceContract } from '../../src/testing/index.ts'
import { configOnPage, receiverOf } from './receiver-of.ts'

const { default: HmacValidator } = hmacValidator

// Risk: a payment that Adyen took and the shop does not have.

// From the tests of Adyen's own library.
const secret = 'DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00'
const otherSecret = secret.replaceAll('A', 'B')
const vector: AdyenItem = {
  pspReference: 'pspReference',
  originalReference: 'originalReference',
  merchantAccountCode: 'merchantAccount',
  merchantReference: 'reference',
  amount: { currency: 'EUR', value: 1000 },
  eventCode: 'CAPTURE',
  eventDate: '1970-01-01T00:00:00.000Z',
  paymentMethod: 'VISA',
  reason: 'reason',
  success: 'true',
  additionalData: { hmacSignature: 'xhpHvYq2u2Np0rstbZ6QjLGu7JWhvf7Iwaa6EviJSX0=' }
}

/** An item that Adyen's library signs. */
function signed(changes: Partial<AdyenItem> = {}): AdyenItem {
  const item = { ...vector, ...changes }
  const hmacSignature = new HmacValidator().calculateHmac(item as unknown as NotificationRequestItem, secret)
  return { ...item, additionalData: { ...item.additionalData, hmacSignature } }
}

function bodyOf(...items: readonly AdyenItem[]): Buffer {
  return Buffer.from(
    JSON.stringify({ live: 'false', notificationItems: items.map((item) => ({ NotificationRequestItem: item })) })
  )
}

/** The fields that Adyen signs, of all items; undefined for bytes without items. */
function signedFieldsOf(body: Uint8Array): string | undefined {
  try {
    const { notificationItems } = JSON.parse(Buffer.from(body).toString()) as {
      readonly notificationItems: readonly { readonly NotificationRequestItem: AdyenItem }[]
    }
    return JSON.stringify(
      notificationItems.map(({ NotificationRequestItem: item }) => [
        new HmacValidator().getDataToSign(item as unknown as NotificationRequestItem),
        item.additionalData?.['hmacSignature']
      ])
    )
  } catch {
    return undefined
  }
}

const sampleOf = (...items: readonly AdyenItem[]) => ({
  body: bodyOf(...items),
  secret,
  otherSecret,
  isSigned: (changed: Uint8Array) => signedFieldsOf(changed) !== signedFieldsOf(bodyOf(...items)),
  events: items.map(({ pspReference, eventCode, success }) => ({
    id: `${pspReference}:${eventCode}:${String(success)}`,
    type: eventCode
  }))
})

t.test('the contract, with the published item, a batch, and items with missing fields', (t) =>
  sourceContract(t, adyen(), [
    sampleOf(vector),
    sampleOf(
      signed({ pspReference: 'a1', eventCode: 'AUTHORISATION', success: 'false', merchantReference: 'order:7 Zoë' }),
      signed({ pspReference: 'a1', eventCode: 'AUTHORISATION', success: 'true', originalReference: null })
    ),
    sampleOf(signed({ pspReference: 'report.csv', eventCode: 'REPORT_AVAILABLE', originalReference: '' }))
  ])
)

t.test('the library accepts the same items, and has the same event codes', async (t) => {
  const source = adyen()
  const verify = (item: AdyenItem) =>
    source.verifier([secret]).verify({ method: 'POST', url: '/', headers: {}, body: bodyOf(item) }, new Date(), 0)
  const library = new HmacValidator()
  for (const item of [
    vector,
    signed({ merchantReference: 'a:b' }),
    signed({ amount: { value: 0, currency: 'JPY' } })
  ]) {
    t.equal(library.validateHMAC(item as unknown as NotificationRequestItem, secret), true)
    t.match(await verify(item), { ok: true, secret: 1 })
  }
  t.same([...source.types].sort(), Object.values(NotificationRequestItem.EventCodeEnum).sort())
})

t.test('a batch keeps every digit of its items', (t) => {
  const item = (id: number) => `{"NotificationRequestItem":{"pspReference":"${id}","risk":9007199254740993}}`
  const body = Buffer.from(`{"live":"true","notificationItems":[${item(1)},${item(2)}]}`)
  t.same(
    adyen()
      .split?.({ method: 'POST', url: '/', headers: {}, body })
      .map((part) => String(part.body)),
    [1, 2].map((id) => `{"live":"true","notificationItems":[${item(id)}]}`)
  )
  t.end()
})

t.test('fields moved across their separator are refused, although the signature matches', async (t) => {
  const moved = {
    ...signed({ merchantReference: 'ref:1' }),
    merchantAccountCode: 'merchantAccount:ref',
    merchantReference: '1'
  }
  t.equal(new HmacValidator().validateHMAC(moved as unknown as NotificationRequestItem, secret), true)
  const { deliver, refused } = receiverOf(t, { source: adyen(), secrets: secret, retention: '31d' })
  t.match(await deliver({}, bodyOf(moved)), { status: 401 })
  const forged = { ...vector, amount: { currency: 'EUR', value: 1 } }
  t.match(await deliver({}, bodyOf(signed(), forged)), { status: 401 })
  t.match(await deliver({}, bodyOf()), { status: 401 })
  t.match(refused, [/item 1 of 1 has .* a signed field of another type/, /no secret matched item 2 of 2/, /no list/])
})

t.test(
  'handlers get each item; the answer is [accepted], also for a duplicate; a failed payment is no success',
  async (t) => {
    const payments = adyen()
    const { riverhook, deliver, settled } = receiverOf(t, {
      source: payments,
      secrets: [otherSecret, secret],
      retention: '31d',
      mode: 'test'
    })
    const seen: unknown[] = []
    riverhook.from(payments).on('AUTHORISATION', ({ id, liveMode, createdTime, payload }) => {
      seen.push([id, liveMode, createdTime, payload.success, payload.amount?.value])
    })
    await riverhook.start()
    const failed = signed({ eventCode: 'AUTHORISATION', success: 'false', eventDate: '2026-01-01T00:00:00+01:00' })
    const paid = signed({ eventCode: 'AUTHORISATION', eventDate: '2026-01-01T00:01:00+01:00' })
    t.match(await deliver({}, bodyOf(failed, paid)), { status: 200, body: '[accepted]' })
    await settled(2)
    const expected = [
      ['pspReference:AUTHORISATION:false', false, '2026-01-01T00:00:00+01:00', 'false', 1000],
      ['pspReference:AUTHORISATION:true', false, '2026-01-01T00:01:00+01:00', 'true', 1000]
    ]
    t.same(seen.sort(), expected)
    const again = { ...paid, eventDate: '2026-01-01T00:09:00+01:00' }
    t.match(await deliver({}, bodyOf(again)), { status: 200, body: '[accepted]' })
    const live = Buffer.from(
      bodyOf(signed({ pspReference: 'p2' }))
        .toString()
        .replace('"false"', '"true"')
    )
    t.match(await deliver({}, live), { status: 400 })
    t.same(seen, expected)
  }
)

t.test('a key that is not hexadecimal, and a retention shorter than the retries, stop the start', (t) => {
  t.throws(() => adyen({ name: 'a' }).verifier([secret, `${secret}=`]), {
    code: 'RIVERHOOK_SOURCE_SECRET',
    message: /number 2 is not an HMAC key of Adyen/
  })
  t.throws(() => adyen().verifier(['0'.repeat(64)]), { code: 'RIVERHOOK_SOURCE_SECRET' })
  t.throws(() => receiverOf(t, { source: adyen(), secrets: secret }), { message: /"retention" must be at least 721h/ })
  t.throws(() => adyen({ nam: 'x' } as never), { code: 'RIVERHOOK_OPTIONS_INVALID' })
  t.end()
})

t.test('the config on its page runs', async (t) => {
  const { deliver, riverhook, settled, logged } = receiverOf(
    t,
    await configOnPage(t, 'adyen', { ADYEN_SECRETS: secret })
  )
  await riverhook.start()
  const paid = signed({ eventCode: 'AUTHORISATION', merchantReference: 'order-1' })
  t.match(await deliver({}, bodyOf(paid)), { status: 200, body: '[accepted]' })
  const token = { type: 'recurring.token.created', eventId: 'QBQQ9DLNRHHKGK38', data: { shopperReference: 'me' } }
  const body = Buffer.from(JSON.stringify(token))
  const hmacsignature = new HmacValidator().calculateHmac(body.toString(), secret)
  const url = '/webhooks/adyen-tokens'
  t.match(await deliver({ hmacsignature }, body, { url }), { status: 202 })
  t.match(await deliver({ hmacsignature }, Buffer.from(`${body.toString()} `), { url }), { status: 401 })
  await settled(2)
  t.match([...logged].sort(), [/"order":"order-1".*paid/, /"shopper":"me".*card stored/])
})
