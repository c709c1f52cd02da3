import { Type, type Static, type TSchema } from 'typebox'

// The parts of the schemas of the operator's API. Files of this folder import nothing but TypeBox: the page, which
// takes its types from them, is compiled without the rest.

/** An object with these fields and no others. */
export const strict = { additionalProperties: false } as const

/** One of a few words. */
export const oneOf = <const Words extends readonly string[]>(words: Words, description?: string) =>
  Type.Unsafe<Words[number]>({ type: 'string', enum: words, ...(description === undefined ? {} : { description }) })

/** Another schema, by the name of its export: the OpenAPI document has it once. */
export const named = <Schema extends TSchema>(name: string, _schema: Schema) =>
  Type.Unsafe<Static<Schema>>({ $ref: `${name}#` })

/** An instant in an answer. */
export const time = Type.String({ format: 'date-time', description: 'an instant in ISO 8601, in UTC' })

/** An instant in a request. */
export const givenTime = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 40,
    description: `${description}: an instant in ISO 8601, or a span before now such as \`24h\``
  })

/** A text in a request: a database would refuse a NUL character. */
export const givenText = (description: string, most = 256) =>
  Type.String({ minLength: 1, maxLength: most, pattern: '^[^\\u0000]*$', description })

export const count = Type.Integer({ minimum: 0 })

/** The position after which the next page begins, as an answer gave it. */
export const cursor = Type.String({
  minLength: 1,
  maxLength: 100,
  description: '`next` of the page before, of the same filter'
})

/** The ways in which an actor comes: those of `actorOrigins`. */
export const origins = ['token', 'session', 'proxy', 'host', 'command', 'code'] as const

/** Those of `deliveryStates` and `eventStates`. */
export const stateNames = {
  delivery: ['pending', 'waiting', 'running', 'done', 'dead', 'parked'],
  event: ['accepted', 'quarantined', 'erased']
} as const
