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

/** Answers hold only the fields that their schema names. */
export const serializerCompiler: FastifySerializerCompiler<FastifySchema> = ({ schema }) =>
  // A schema refers to others by name. Itself it must not be among them.
  stringify(schema as Schema, {
    schema: Object.fromEntries(Object.entries(schemas).filter(([, each]) => each !== schema)) as unknown as Record<
      string,
      Schema
    >
  })

/** Returns a function that writes a value as the schema of this name says, for a part of a stream. */
export function stringifyAs(name: keyof typeof schemas): (value: unknown) => string {
  return serializerCompiler({ schema: schemas[name], method: 'GET', url: '', httpStatus: '200' })
}
