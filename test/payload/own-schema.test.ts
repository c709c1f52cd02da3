import { Type } from 'typebox'
import t from 'tap'

import { Registry } from '../../src/handlers/registry.ts'
import { PayloadChecks } from '../../src/payload/checks.ts'

// Risk: a rule that is written and never checked.

const draft2020 = 'https://json-schema.org/draft/2020-12/schema'
const draft2019 = 'https://json-schema.org/draft/2019-09/schema'

/** The mismatches of handlers with these schemas for an object. */
function found(object: Record<string, unknown>, ...schemas: readonly object[]): string[] {
  const registry = new Registry()
  for (const [index, schema] of schemas.entries())
    registry.on('sku.created', { name: `h${index}`, schema }, () => undefined)
  const checks = new PayloadChecks({ knownTypes: new Set(), schemaOf: () => undefined })
  checks.prepare(registry.all)
  const event = {
    id: 'e1',
    type: 'sku.created',
    data: { object },
    liveMode: false,
    createdTime: '2026-01-01T00:00:00Z'
  }
  const { mismatches } = checks.check(event, registry.for('sku.created'), 'flag')
  return mismatches.map(({ path, rule, handler }) => `${path} ${rule}${handler === 'h0' ? '' : ` ${handler}`}`)
}

t.test('drafts: 2020-12 and 2019-09 by $schema, draft-07 without; for any other the error lists these', async (t) => {
  const pair = { properties: { pair: { type: 'array', prefixItems: [{ type: 'string' }] } } }
  t.same(found({ pair: [1] }, { $schema: draft2020, ...pair }), ['data.object.pair[] type'])
  t.same(found({ a: 1 }, { $schema: `${draft2019}#`, dependentRequired: { a: ['b'] } }), [
    'data.object dependentRequired'
  ])
  t.same(
    found(
      { pair: [1] },
      { $schema: 'http://json-schema.org/draft-07/schema#', properties: { pair: { items: [{ type: 'string' }] } } }
    ),
    ['data.object.pair[] type']
  )
  t.same(found({ pair: [1] }, Type.Object({ pair: Type.Tuple([Type.String()]) })), ['data.object.pair[] type'])
  t.throws(
    () => found({}, pair),
    /Handler "h0": option "schema" is not a JSON Schema that can be checked: unknown keyword: "prefixItems" \(read as draft-07, as it has no \$schema\)/
  )
  t.throws(
    () => found({}, { $schema: 'http://json-schema.org/draft-04/schema#' }),
    /its \$schema, "http:\/\/json-schema\.org\/draft-04\/schema#", is not one of "http:\/\/json-schema\.org\/draft-07\/schema", .*2019-09.*2020-12/
  )
  t.throws(
    () => found({}, { $schema: draft2020, type: 'nothing' }),
    /schema\/type must be equal to one of the allowed values.* \(read as 2020-12\)/
  )
})

t.test('keywords that would not be checked are refused, keywords without an effect are allowed', async (t) => {
  t.throws(() => found({}, { properties: { a: { type: 'string', minLenght: 2 } } }), /unknown keyword: "minLenght"/)
  t.throws(() => found({}, { additionalItems: false }), /"additionalItems" is ignored/)
  t.throws(
    () => found({}, Type.Object({ a: Type.Refine(Type.String(), (text) => text !== '') })),
    /Type\.Refine is a function/
  )
  const annotated = {
    type: 'object',
    title: 'A',
    'x-internal': { 'x-deep': 1 },
    properties: { a: { type: 'string', example: 'b', 'x-order': 1, readOnly: true, $comment: 'c' } }
  }
  t.same(found({ a: 1 }, annotated), ['data.object.a type'])
})

t.test('formats are checked, and an unknown format is refused', async (t) => {
  const mail = (format: string) => ({ properties: { email: { type: 'string', format } } })
  t.same(found({ email: 'nobody' }, mail('email')), ['data.object.email format'])
  t.same(found({ email: 'nobody@example.com' }, mail('email')), [])
  t.same(found({ email: 'nobody' }, Type.Object({ email: Type.String({ format: 'email' }) })), [
    'data.object.email format'
  ])
  t.throws(() => found({}, mail('e-mail')), /unknown format "e-mail"/)
})

t.test('two schemas of one $id are two schemas, also in two plugins', async (t) => {
  const schema = (field: string) => ({
    $id: 'https://example.com/sku',
    type: 'object',
    required: [field],
    properties: { self: { $ref: '#' } }
  })
  t.same(found({}, schema('a'), schema('b')), ['data.object.a required', 'data.object.b required h1'])
  t.same(found({ self: {}, a: 1 }, schema('a')), ['data.object.self.a required'])
})

t.test('a key from the payload is not in the path', async (t) => {
  const metadata = {
    type: 'object',
    properties: { gift: { type: 'boolean' } },
    additionalProperties: { type: 'string' }
  }
  const schema = {
    properties: { metadata },
    patternProperties: { '@': { type: 'object', properties: { age: { type: 'integer' } } } }
  }
  const object = {
    metadata: { 'joe@example.com': 1, 'ann/b~c@example.com': 2, gift: 3, 7: 7 },
    'joe@example.com': { age: 'old' }
  }
  t.same(found(object, schema).sort(), [
    'data.object.*.age type',
    'data.object.metadata.* type',
    'data.object.metadata.gift type',
    'data.object.metadata[] type'
  ])
  t.same(found({ a: { 'joe@example.com': 1 } }, { properties: { a: { additionalProperties: false } } }), [
    'data.object.a additionalProperties'
  ])
  t.same(found({ a: { 'joe@example.com': 1 } }, { properties: { a: { propertyNames: { maxLength: 3 } } } }), [
    'data.object.a maxLength',
    'data.object.a propertyNames'
  ])
})

t.test('a failed choice is reported once, with any branches; the rules beside it are reported too', async (t) => {
  const definitions = {
    card: { type: 'object', required: ['digits'], properties: { digits: { type: 'string' } } },
    mail: { allOf: [{ $ref: '#/definitions/card' }], required: ['payer'] }
  }
  const branches = [{ $ref: '#/definitions/card' }, { $ref: '#/definitions/mail' }, { type: 'null' }]
  for (const choice of ['anyOf', 'oneOf']) {
    const schema = {
      definitions,
      required: ['id'],
      properties: { note: { type: 'string' }, paid: { [choice]: branches, maxProperties: 0 } }
    }
    t.same(
      found({ note: 1, paid: { digits: 4 } }, schema).sort(),
      [
        'data.object.id required',
        'data.object.note type',
        `data.object.paid ${choice}`,
        'data.object.paid maxProperties'
      ].sort()
    )
    t.same(
      found(
        { paid: 'x' },
        { definitions, properties: { paid: { type: 'object', not: { const: 'x' }, [choice]: branches } } }
      ).sort(),
      [`data.object.paid ${choice}`, 'data.object.paid not', 'data.object.paid type'].sort()
    )
  }
  t.same(
    found({ paid: { digits: '4', payer: 'p' } }, { definitions, properties: { paid: { oneOf: branches } } }),
    ['data.object.paid oneOf'],
    'more than one branch holds'
  )
})
