import { existsSync, readFileSync } from 'node:fs'

const file = new URL('../../shared/digital-river/openapi-2021-12-13.json', import.meta.url)

/** The part of OpenAPI 3.0 that the provider's document uses. */
export interface OpenApiSchema {
  readonly $ref?: string
  readonly type?: string
  readonly format?: string
  readonly nullable?: boolean
  readonly enum?: readonly unknown[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, OpenApiSchema>>
  readonly items?: OpenApiSchema
  readonly example?: unknown
}

export interface OpenApiOperation {
  readonly responses: Readonly<
    Record<string, { readonly content?: { readonly 'application/json'?: { readonly schema: OpenApiSchema } } }>
  >
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, OpenApiSchema>> }
}

/** For `skip` of a test: the provider's document is outside of the repository, which must not include it. */
export const withoutOpenApi = existsSync(file)
  ? false
  : 'the OpenAPI document of the provider is not part of the repository'

/** The provider's document. */
export function readOpenApi(): OpenApi {
  return JSON.parse(readFileSync(file, 'utf8')) as OpenApi
}

/** Resolves references. The result is nullable if any schema on the way is. */
export function resolve({ components }: OpenApi, schema: OpenApiSchema): OpenApiSchema {
  if (schema.$ref === undefined) return schema
  const target = resolve(
    { components } as OpenApi,
    components.schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)] ?? {}
  )
  return schema.nullable === true ? { ...target, nullable: true } : target
}
