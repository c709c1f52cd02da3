import t from 'tap'

import { catalogue, schemaOf, type CatalogueEntry, type Event } from '../../../src/index.ts'
import { PayloadChecks } from '../../../src/payload/checks.ts'
import { resourceSchemas } from '../../../src/source/digital-river/resources/index.ts'
import { readOpenApi, resolve, withoutOpenApi, type OpenApi, type OpenApiSchema } from '../../openapi.ts'

// Risk: fields without a type, and with `validate: 'reject'` refused events whose payload is as documented.

/** The document's schemas of the payloads of events, where there are more than that of the same name. */
const alsoCarried: Readonly<Record<string, readonly string[]>> = {
  // The answers to a creation and to a read.
  FulfillmentOrder: ['FulfillmentOrder', 'Fulfillment'],
  ReturnsResponse: ['ReturnsResponse', 'CreateReturnsResponse'],
  // The document has it twice.
  TaxIdentifier: ['TaxIdentifier', 'TaxIdentifier_1'],
  SubscriptionWithInvoice: [],
  InvoiceFile: []
}

/** Paths that our types leave out. */
const leftOut: Readonly<Record<string, string>> = {
  'Plan.updatedTime:': 'a slip of the document: no other resource has the colon'
}

/** Resources that the document does not have. */
const notInDocument: Readonly<Record<string, string>> = {
  InvoiceFile: 'known from samples alone',
  SubscriptionWithInvoice: 'known from samples alone; its parts are the Subscription and the Invoice'
}

/** Examples that contradict the document's own list of values: reported, and not refused. */
const contradictions: Readonly<Record<string, string>> = {
  'data.object.state enum': 'created, of an order and a refund',
  'data.object.orderDetails.state enum': 'created, of an order',
  'data.object.items[].type enum': 'tax, of an item of a refund',
  'data.object.type enum': 'authorized, of a return in the logistics'
}

interface Ours {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly anyOf?: readonly Ours[]
  readonly items?: Ours
  readonly properties?: Readonly<Record<string, Ours>>
  readonly required?: readonly string[]
}

const typesOf = ({ type = [] }: Ours): readonly string[] => [type].flat()

/** The branch of a choice that accepts values of this type. */
function branchFor(ours: Ours, type: string): Ours {
  return (
    ours.anyOf?.find(
      (branch) => typesOf(branch).includes(type) || (type === 'integer' && typesOf(branch).includes('number'))
    ) ?? ours
  )
}

function typeOf({ type, properties }: OpenApiSchema): string | undefined {
  return type ?? (properties === undefined ? undefined : 'object')
}

/** Places where a payload that is valid by the document could contradict our schema. */
function* differences(document: OpenApi, reference: OpenApiSchema, given: Ours, path: string): Generator<string> {
  const theirs = resolve(document, reference)
  const type = typeOf(theirs)
  const ours = type === undefined ? given : branchFor(given, type)
  const types = typesOf(ours)
  if (theirs.nullable === true && path.includes('.') && !types.includes('null')) yield `${path}: may be null`
  if (type !== undefined && !types.includes(type) && !(type === 'integer' && types.includes('number')))
    yield `${path}: is ${type}, not ${types.join()}`
  if (ours.enum !== undefined)
    for (const value of theirs.enum ?? []) if (!ours.enum.includes(value)) yield `${path}: may be ${String(value)}`
  if (theirs.format === 'date-time' && ours.pattern === undefined) yield `${path}: is an instant`
  if (theirs.items !== undefined) yield* differences(document, theirs.items, ours.items ?? {}, `${path}[]`)
  for (const [name, property] of Object.entries(theirs.properties ?? {})) {
    const place = `${path}.${name}`
    const field = ours.properties?.[name]
    if (field === undefined) yield `${place}: is missing`
    else yield* differences(document, property, field, place)
  }
}

/** Fields that we require and the document does not, by the resource or part, at any place. */
function* requiredBeyond(document: OpenApi, reference: OpenApiSchema, given: Ours, path: string): Generator<string> {
  const theirs = resolve(document, reference)
  const type = typeOf(theirs)
  const ours = type === undefined ? given : branchFor(given, type)
  for (const name of ours.required ?? [])
    if (theirs.properties !== undefined && theirs.required?.includes(name) !== true) yield `${path}.${name}`
  if (theirs.items !== undefined) yield* requiredBeyond(document, theirs.items, ours.items ?? {}, `${path}[]`)
  for (const [name, property] of Object.entries(theirs.properties ?? {}))
    yield* requiredBeyond(document, property, ours.properties?.[name] ?? {}, `${path}.${name}`)
}

const pairs = Object.entries(resourceSchemas).flatMap(([name, ours]) =>
  (alsoCarried[name] ?? [name]).map((theirs) => ({ name, theirs, ours: ours as unknown as Ours }))
)

t.test(
  'our types have every documented schema and property of an event, with its type and nullability',
  { skip: withoutOpenApi },
  async (t) => {
    const document = readOpenApi()
    const { schemas } = document.components
    t.same(
      Object.keys(resourceSchemas)
        .filter((name) => !(name in schemas))
        .sort(),
      Object.keys(notInDocument).sort()
    )
    const found = pairs.flatMap(({ theirs, ours }) => [...differences(document, schemas[theirs] ?? {}, ours, theirs)])
    t.same(
      found.map((line) => line.slice(0, line.lastIndexOf(': '))).filter((path) => !(path in leftOut)),
      [],
      found.join('\n')
    )
    t.same(found.length, Object.keys(leftOut).length, 'each exception is one')
    for (const reason of [...Object.values(leftOut), ...Object.values(notInDocument)]) t.ok(reason.length > 10)
  }
)

t.test('a field that we require and the document does not is in every sample', { skip: withoutOpenApi }, async (t) => {
  const document = readOpenApi()
  const beyond = pairs.flatMap(({ theirs, ours }) => [
    ...requiredBeyond(document, document.components.schemas[theirs] ?? {}, ours, theirs)
  ])
  const inSamples = new Set(['amount', 'createdTime', 'currency', 'state'].map((name) => `charges[].${name}`))
  for (const name of ['createdTime', 'currency', 'items', 'state', 'totalAmount']) inSamples.add(`Order.${name}`)
  for (const name of ['amount', 'createdTime', 'currency', 'state']) inSamples.add(`Charge.${name}`)
  for (const name of ['amount', 'quantity']) inSamples.add(`items[].${name}`)
  for (const name of ['createdTime', 'currency', 'refundedAmount', 'state']) inSamples.add(`OrderRefund.${name}`)
  for (const name of ['createdTime', 'items', 'state']) inSamples.add(`Subscription.${name}`)
  // The ids of the subject of an event, an item, a charge and a payment method.
  t.same(
    beyond.filter((path) => !path.endsWith('.id') && !inSamples.has(path.split('.').slice(-2).join('.'))),
    []
  )
})

/** The document's example for a schema: its own, or one built from those of its properties. */
function exampleOf(document: OpenApi, reference: OpenApiSchema, isNull: (schema: OpenApiSchema) => boolean): unknown {
  const schema = resolve(document, reference)
  if (isNull(schema)) return null
  if (schema.properties !== undefined) {
    const fields = Object.entries(schema.properties).map(([name, property]) => [
      name,
      exampleOf(document, property, isNull)
    ])
    return Object.fromEntries(fields.filter(([, value]) => value !== undefined))
  }
  if (schema.items !== undefined) return [exampleOf(document, schema.items, isNull) ?? 'x']
  if (schema.example !== undefined) return schema.example
  if (schema.enum !== undefined) return schema.enum[0]
  const text = schema.format === 'date-time' ? '2024-05-09T15:31:55.367016Z' : 'x'
  return { string: text, number: 1.5, integer: 1, boolean: true, object: {} }[schema.type ?? 'string']
}

/** The example objects: for a schema of one object, those in an example list too. */
function* ownExamples(
  document: OpenApi
): Generator<{ readonly name: string; readonly example: Readonly<Record<string, unknown>> }> {
  for (const [name, { example }] of Object.entries(document.components.schemas)) {
    for (const each of [example].flat())
      if (typeof each === 'object' && each !== null) yield { name, example: each as Readonly<Record<string, unknown>> }
  }
}

t.test(
  'every example of the document is accepted with reject, also with null in every nullable field',
  { skip: withoutOpenApi },
  async (t) => {
    const document = readOpenApi()
    const checks = new PayloadChecks({ knownTypes: new Set(Object.keys(catalogue)), schemaOf })
    const typesByResource = Map.groupBy(Object.entries<CatalogueEntry>(catalogue), ([, { resource }]) => resource)
    for (const { name, theirs } of pairs) {
      const [type = ''] = typesByResource.get(name as keyof typeof resourceSchemas)?.map(([each]) => each) ?? []
      for (const isNull of [() => false, (schema: OpenApiSchema) => schema.nullable === true]) {
        const made = exampleOf(document, document.components.schemas[theirs] ?? {}, isNull) as Record<string, unknown>
        const object = { ...made, id: made['id'] ?? '1' }
        const { mismatches, isRejected } = checks.check(
          { id: 'e1', type, data: { object }, liveMode: false, createdTime: '2026-01-01T00:00:00Z' } as Event,
          [],
          'reject'
        )
        t.same(
          mismatches
            .filter(({ path, rule }) => !(`${path} ${rule}` in contradictions))
            .map(({ path, rule }) => `${path} ${rule}`),
          [],
          theirs
        )
        t.equal(isRejected, false, theirs)
      }
    }
    const places: Readonly<Record<string, readonly [type: string, around: (example: unknown) => object]>> = {
      RefundItem: [
        'refund.pending',
        (item) => ({
          id: '1',
          createdTime: '2026-01-01T00:00:00Z',
          currency: 'EUR',
          refundedAmount: 0,
          state: 'pending',
          items: [item]
        })
      ],
      LineItem: ['fulfillment_order.pending', (item) => ({ id: '1', items: [item] })],
      Metadata: ['sku.created', (metadata) => ({ id: '1', metadata })],
      StringMetadata: ['sku.created', (metadata) => ({ id: '1', metadata })],
      NumberMetadata: ['sku.created', (metadata) => ({ id: '1', metadata })],
      BooleanMetadata: ['sku.created', (metadata) => ({ id: '1', metadata })]
    }
    for (const { name, example } of ownExamples(document)) {
      // Examples of requests, which no event has.
      if (name.endsWith('Request')) continue
      const [type, around] = places[name] ?? ['', () => ({})]
      t.not(type, '', `${name} has its place`)
      const object = around(example) as Record<string, unknown>
      t.same(
        checks.check(
          { id: 'e1', type, data: { object }, liveMode: false, createdTime: '2026-01-01T00:00:00Z' } as Event,
          [],
          'reject'
        ),
        { mismatches: [], isRejected: false },
        name
      )
    }
  }
)
