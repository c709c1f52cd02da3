import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import stringify, { type Schema } from 'fast-json-stringify'
import type { FastifySchema, FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify'

import { schemas } from './schema.ts'

/**
 * Compilers for the schemas of this API. Those of the host may be for another language of schemas, such as Zod's. A
 * query and a path are texts, so their values are converted; a body must have the right types.
 */
const texts = prepared(new Ajv({ coerceTypes: 'array', useDefaults: true, allowUnionTypes: true }))
const values = prepared(new Ajv({ useDefaults: true, allowUnionTypes: true }))

function prepared(ajv: Ajv): Ajv {
  formats.default(ajv)
  ajv.addSchema(Object.values(schemas))
  return ajv
}

export const validatorCompiler: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? values : texts).compile(schema)

/** By their schema: routes answer the same errors, and a process may mount the API more than once. */
const serializers = new WeakMap<object, (value: unknown) => string>()

/** Answers hold only the fields that their schema names. */
export const serializerCompiler: FastifySerializerCompiler<FastifySchema> = ({ schema }) => {
  const known = serializers.get(schema)
  if (known !== undefined) return known
  const serializer = stringify(schema as Schema, { schema: referredTo(schema) })
  serializers.set(schema, serializer)
  return serializer
}

/**
 * The schemas that a schema refers to by name, also indirectly. Each one costs time in every serializer that gets it.
 * The schema itself must not be among them.
 */
function referredTo(schema: object): Record<string, Schema> {
  const found = new Map<string, object>()
  const search = (each: object): void => {
    JSON.stringify(each, (key, value: unknown) => {
      const name = key === '$ref' ? String(value).replace(/#$/u, '') : undefined
      if (name === undefined || found.has(name)) return value
      const other = schemas[name as keyof typeof schemas]
      found.set(name, other)
      search(other)
      return value
    })
  }
  search(schema)
  return Object.fromEntries([...found].filter(([, other]) => other !== schema)) as Record<string, Schema>
}

/** Returns a function that writes a value as the schema of this name says, for a part of a stream. */
export function stringifyAs(name: keyof typeof schemas): (value: unknown) => string {
  return serializerCompiler({ schema: schemas[name], method: 'GET', url: '', httpStatus: '200' })
}
