// Risk: a handler's own schema gives its payload a wrong type. Compared with the types that TypeBox computes itself.
import { type Static, Type } from 'typebox'

import type { SchemaValue } from '../../src/handlers/schema-value.ts'
import { same } from './same.ts'

const schema = Type.Object({
  text: Type.String(),
  whole: Type.Integer(),
  flag: Type.Boolean(),
  nothing: Type.Null(),
  list: Type.Array(Type.Object({ id: Type.Optional(Type.Number()) })),
  pair: Type.Tuple([Type.String(), Type.Number()]),
  literal: Type.Literal('main'),
  choice: Type.Union([Type.Literal('a'), Type.Number()]),
  map: Type.Record(Type.String(), Type.Integer()),
  own: Type.Unsafe<Date>({}),
  names: Type.Optional(Type.Enum(['x', 'y'])),
  both: Type.Intersect([Type.Object({ one: Type.String() }), Type.Object({ two: Type.Number() })]),
  anything: Type.Unknown()
})
same<SchemaValue<typeof schema>, Static<typeof schema>>()

const json = {
  type: 'object',
  required: ['total', 'lines'],
  properties: {
    total: { type: ['number', 'null'] },
    state: { enum: ['open', 'closed'] },
    lines: { type: 'array', items: { type: 'object', properties: { sku: { const: 'S-1' } }, required: ['sku'] } },
    place: { oneOf: [{ type: 'string' }, { type: 'object', additionalProperties: { type: 'number' } }] }
  }
} as const
interface Json {
  readonly total: number | null
  readonly state?: 'open' | 'closed'
  readonly lines: { readonly sku: 'S-1' }[]
  readonly place?: string | Record<string, number>
}
same<SchemaValue<typeof json>, Json>()
same<SchemaValue<object>, unknown>()
