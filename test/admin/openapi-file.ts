import { fileURLToPath } from 'node:url'
import swagger from '@fastify/swagger'
import Fastify, { type FastifySchema } from 'fastify'

import type { AdminRoute } from '../../src/admin/route.ts'
import { routes } from '../../src/admin/routes/index.ts'
import { schemas } from '../../src/admin/schema.ts'
import { packageVersion } from '../../src/programs.ts'
import { linesOf } from '../schema-lines.ts'

/** The OpenAPI document of the operator's API, which `GET openapi.json` serves. */
export const openapiFile = fileURLToPath(new URL('../../src/admin/openapi.json', import.meta.url))

/** The expected content of the file, made from the table of routes. */
export async function openapiText(): Promise<string> {
  const app = Fastify()
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Riverhook: the operator’s API',
        description: 'Look at events, and repair. Mounted with `riverhook/admin`.',
        version: packageVersion()
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer' },
          session: { type: 'apiKey', in: 'cookie', name: 'riverhook_session' }
        }
      }
    },
    refResolver: { buildLocalReference: (json) => String(json['$id']) }
  })
  for (const schema of Object.values(schemas)) app.addSchema(schema)
  app.setSerializerCompiler(() => JSON.stringify)
  for (const route of routes)
    app.route({ method: route.method, url: `/${route.path}`, schema: describe(route), handler: () => undefined })
  await app.ready()
  const { openapi, info, components, paths } = app.swagger() as Document
  // The document does not know where the API is mounted: an address is relative to that of the document.
  const head = { openapi, info, servers: [{ url: '../v1' }] }
  const used = usedSchemas({ ...components.schemas }, JSON.stringify(paths))
  return `{${JSON.stringify(head).slice(1, -1)},
"paths": ${linesOf(paths)},
"components": {"securitySchemes": ${JSON.stringify(components.securitySchemes)},
"schemas": ${linesOf(used)}}}
`
}

interface Document {
  readonly openapi: string
  readonly info: object
  readonly paths: Readonly<Record<string, object>>
  readonly components: { readonly schemas: Readonly<Record<string, object>>; readonly securitySchemes: object }
}

/** The schemas that a text refers to, and those that these refer to; without `$id`, which would change references. */
function usedSchemas(all: Readonly<Record<string, object>>, text: string): Record<string, object> {
  const names = new Set<string>()
  const find = (within: string): void => {
    for (const [, name = ''] of within.matchAll(/#\/components\/schemas\/(\w+)/g)) {
      if (names.has(name)) continue
      names.add(name)
      find(JSON.stringify(all[name]))
    }
  }
  find(text)
  return Object.fromEntries(
    [...names].sort().map((name) => {
      const { $id: _id, ...schema } = all[name] as { readonly $id?: string }
      return [name, schema]
    })
  )
}

/** A schema by its name, if it has one. */
const refer = (schema: object): object => ('$id' in schema ? { $ref: `${String(schema.$id)}#` } : schema)

/** The errors that each route may answer: the text of the code says which. */
const errors = {
  400: 'A value is missing or wrong: the message names it',
  401: 'Not logged in',
  403: 'The scope is missing',
  404: 'There is no such thing',
  429: 'Too much is asked for at a time: later',
  503: 'The inbox is not available'
}

function describe({ path, scope, schema }: AdminRoute): FastifySchema {
  const { summary, media, response, ...request } = schema
  const answers = {
    ...Object.fromEntries(
      Object.entries(errors).map(([status, description]) => [
        status,
        { description, content: { 'application/json': { schema: { $ref: 'ErrorAnswer#' } } } }
      ])
    ),
    ...Object.fromEntries(
      Object.entries(response).map(([status, answer]) => [
        status,
        { description: 'The answer', content: { 'application/json': { schema: refer(answer) } } }
      ])
    ),
    ...(media === undefined ? {} : { 200: { description: 'The answer', content: { [media]: { schema: {} } } } })
  }
  const { body, ...others } = request
  return {
    ...others,
    ...(body === undefined ? {} : { body: refer(body) }),
    summary,
    tags: [path.split('/')[0] ?? path],
    ...(scope === 'none' ? {} : { security: [{ token: [] }, { session: [] }], 'x-scope': scope }),
    response: answers
  }
}
