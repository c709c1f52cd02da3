import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import t from 'tap'

import { serializerCompiler, stringifyAs } from '../../src/admin/compile-schema.ts'
import { schemas } from '../../src/admin/schema.ts'
import { stateNames } from '../../src/admin/schemas/basic.ts'
import { deliveryStates, eventStates } from '../../src/index.ts'
import { adminSchemasFile, adminSchemasText } from './schemas-file.ts'

const text = readFileSync(adminSchemasFile, 'utf8')

// Risk: a request checked, or an answer cut, by other schemas than those of the types that the page is compiled with.
t.test('the schemas read at the start match the types', (t) => {
  t.ok(text === adminSchemasText(), 'run npm run schemas')
  t.end()
})

// Risk: a start that fails, because a schema refers to one that has another name.
t.test('each is a valid schema, and refers only to schemas of this file', (t) => {
  const ajv = new Ajv({ strict: true, code: { optimize: false } })
  addFormats.default(ajv)
  const read = JSON.parse(text) as Record<string, { readonly $id: string }>
  for (const [name, schema] of Object.entries(read)) {
    t.equal(schema.$id, name)
    ajv.addSchema(schema)
  }
  for (const name of Object.keys(read)) t.ok(ajv.getSchema(name), name)
  t.end()
})

// Risk: a route that fails at its first answer, or a start that compiles each schema for every route.
t.test('each serializer is made once, of the schemas that its own one refers to, also indirectly', (t) => {
  for (const name of Object.keys(schemas) as (keyof typeof schemas)[]) t.type(stringifyAs(name), 'function', name)
  const given = { schema: schemas.AuditPage, method: 'GET', url: '', httpStatus: '200' }
  t.equal(serializerCompiler(given), serializerCompiler(given))
  t.end()
})

// Risk: a state that an event can have and a filter cannot name.
t.test('the states are those of the inbox', (t) => {
  t.same(stateNames, { delivery: deliveryStates, event: eventStates })
  t.end()
})
