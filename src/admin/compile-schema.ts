import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import stringify, { type Schema } from 'fast-json-stringify'
import type { FastifySchema, FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify'

/**
 * Compilers for the schemas of this API. Those of the host may be for another language of schemas, such as Zod's. A
 * query and a path are texts, so their values are converted; a body must have the right types.
 */
const texts = prepared(new Ajv({ coerceTypes: 'array', useDefaults: true, allowUnionTypes: true }))
const values = prepared(new Ajv({ useDefaults: true, allowUnionTypes: true }))

function prepared(ajv: Ajv): Ajv {
  formats.default(ajv)
  return ajv
}

export const validatorCompiler: FastifySchemaCompiler<FastifySchema> = ({ schema, httpPart }) =>
  (httpPart === 'body' ? values : texts).compile(schema)

/** Answers hold only the fields that their schema names. */
export const serializerCompiler: FastifySerializerCompiler<FastifySchema> = ({ schema }) => stringify(schema as Schema)
