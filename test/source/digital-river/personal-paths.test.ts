import t from 'tap'

import { Redaction } from '../../../src/payload/redaction.ts'
import { catalogue } from '../../../src/source/digital-river/catalogue.ts'
import { personalPaths } from '../../../src/source/digital-river/personal-paths.ts'
import { sampleEvent } from '../../../src/testing/index.ts'
import schemas from '../../../src/source/digital-river/schemas.json' with { type: 'json' }

// Risk: a name or an address in a field that is not listed, shown to everyone who may look at events.

interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly pattern?: string
}

/** Names of fields that may hold a person's data, or a credential. */
const personal =
  /name|mail|phone|address|line\d|city|postal|street|neighbo|recipient|owner|holder|organi[sz]ation|company|person|account|iban|card|fourDigits|\bip$|Ip$|value$|message|instruction|attribute|division$|title|imei|sim|serial|secret|token|url$|birth|gender|bill(?:Id|ing)|receipt|reference/i

/** Fields with such a name that stay, each with the reason. */
const exceptions: Readonly<Record<string, string>> = {
  'items.name': 'a product',
  'sku.name': 'a product',
  'productDetails.name': 'a product',
  'sellingEntity.name': 'the seller',
  'Fee.brandName': 'the brand of a product',
  bankName: 'the bank',
  storeName: 'a shop that takes the payment',
  localizedStoreName: 'the same shop',
  storeLogoUrl: 'the same shop',
  'Payout.payeeName': 'the merchant',
  'SalesTransaction.payeeName': 'the merchant',
  entityName: 'the seller, in a disclosure',
  'subscription.billingAgreementId': 'an id',
  'Subscription.billingAgreementId': 'an id',
  'subscriptionInfo.billingAgreementId': 'an id',
  referenceId: 'an id of the payment, for the merchant',
  additionalBankInformation: 'the bank',
  sellerTaxIdentifier: 'the seller',
  failureMessage: 'a text of Digital River',
  cardCurrency: 'a currency',
  partnerAccountId: 'the merchant',
  title: 'the title of a document that Digital River makes',
  serviceLevel: 'no person',
  returnUrl: 'a page of the merchant',
  cancelUrl: 'a page of the merchant',
  trackingCompany: 'the carrier',
  trackingCompanyId: 'the carrier',
  trackingUrl: 'the page of the carrier, which needs no more than the number beside it',
  'disclosures.url': 'a text for every buyer',
  'sku.url': 'a product',
  'productDetails.url': 'a product',
  invoiceURL: 'needs the secret key',
  'invoicePDFs.url': 'needs the secret key',
  'creditMemoPDFs.url': 'needs the secret key'
}

let count = 0
const canary = (): string => {
  count += 1
  return `canary-${count}`
}

/** A value that has every field of a schema. */
function filled(schema: Schema): unknown {
  const { anyOf, items, properties, additionalProperties, type } = schema
  if (anyOf !== undefined) return anyOf.map(filled)
  if (items !== undefined) return [filled(items)]
  if (properties !== undefined)
    return Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, filled(each)]))
  if (typeof additionalProperties === 'object') return { anyName: filled(additionalProperties) }
  if ([type].flat().includes('string') && schema.enum === undefined && schema.pattern === undefined) return canary()
  return null
}

/** The last two fields of the path of each text that is shown. */
function shownIn(value: unknown, path: readonly string[]): readonly string[] {
  if (typeof value === 'string') return value.startsWith('canary-') ? [path.slice(-2).join('.')] : []
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((each) => shownIn(each, path))
  return Object.entries(value).flatMap(([name, each]) => shownIn(each, [...path, name]))
}

const redaction = new Redaction(personalPaths)
const mask = (body: object): unknown => JSON.parse(redaction.json(Buffer.from(JSON.stringify(body))) ?? 'null')

t.test('each field of a resource with a personal name is redacted, or there is a reason', async (t) => {
  const used = new Set<string>()
  for (const [resource, schema] of Object.entries(schemas) as [string, Schema][]) {
    // The forms of requests to the API are in the file, too.
    if (/^[a-z]/.test(resource)) continue
    for (const place of ['object', 'previousAttributes']) {
      const { data } = mask({ data: { [place]: filled(schema) } }) as { data: Record<string, unknown> }
      const left = shownIn(data[place], [resource]).filter((path) => {
        const name = path.split('.').at(-1) ?? ''
        const reason = [path, name].find((each) => Object.hasOwn(exceptions, each))
        if (reason !== undefined) used.add(reason)
        return personal.test(name) && reason === undefined
      })
      t.same([...new Set(left)], [], `${resource} in data.${place}`)
    }
  }
  t.same(
    Object.keys(exceptions).filter((path) => !used.has(path)),
    [],
    'no reason for a field that is none'
  )
})

t.test('the search keys of an event that are addresses are redacted', async (t) => {
  const object = {
    id: 'o1',
    email: 'a@x.example',
    orderDetails: { email: 'b@x.example' },
    invoice: { email: 'c@x.example' }
  }
  t.notMatch(JSON.stringify(mask({ data: { object } })), /x\.example/)
})

t.test('no e-mail address of a sample event is shown', async (t) => {
  let seen = 0
  for (const type of Object.keys(catalogue)) {
    const event = sampleEvent(type)
    if (JSON.stringify(event).includes('@')) seen += 1
    t.notMatch(JSON.stringify(mask(event)), /@/, type)
  }
  t.ok(seen > 10)
})
