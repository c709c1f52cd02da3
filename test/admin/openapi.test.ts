import { readFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import t from 'tap'

import { admin } from '../../src/admin/index.ts'
import { routes } from '../../src/admin/routes/index.ts'
import { memoryInbox, riverhook } from '../../src/index.ts'
import { openapiFile, openapiText } from './openapi-file.ts'
import { headerLogin, startAdmin } from './rig.ts'
import { apiPage, routesTable, routesTableName } from './routes-table.ts'
import { tablePattern } from '../readme-tables.ts'

const text = readFileSync(openapiFile, 'utf8')
const document = JSON.parse(text) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly 'x-scope'?: string }>>>>
  readonly components: { readonly schemas: object }
}

// Risk: programs are written by a document that the server does not follow.
t.test('the document has every route with its scope, and is current', async (t) => {
  t.ok(text === (await openapiText()), 'run npm run openapi')
  for (const { method, path, scope } of routes) {
    const operation = document.paths[`/${path.replaceAll(/:(\w+)/g, '{$1}')}`]?.[method.toLowerCase()]
    t.equal(operation?.['x-scope'], scope === 'none' ? undefined : scope, `${method} ${path}`)
  }
  const names = Object.values(document.paths).flatMap((operations) => Object.keys(operations))
  t.equal(names.length, routes.length)
  for (const name of new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, each = '']) => each)))
    t.ok(name in document.components.schemas, name)
})

t.test('it is served', async (t) => {
  const { call } = await startAdmin(t)
  const answer = await call('openapi.json', { scopes: ['read'] })
  t.match(answer.headers.get('content-type'), /^application\/json/)
  t.same(await answer.json(), document)
})

// Risk: the operator's routes are published in the documentation of the host's own API.
t.test('the document of a host does not have these routes', async (t) => {
  const app = Fastify()
  await app.register(swagger, { openapi: { openapi: '3.1.0' } })
  await app.register(riverhook, { inbox: memoryInbox(), secrets: 'whk_a' })
  await app.register(admin, { prefix: '/ops', authenticate: headerLogin })
  app.get('/orders', () => [])
  await app.ready()
  t.teardown(() => app.close())
  t.same(Object.keys(app.swagger().paths ?? {}), ['/orders'])
})

t.test('the table of the page is up to date', (t) => {
  const page = readFileSync(apiPage, 'utf8')
  t.equal(tablePattern(routesTableName).exec(page)?.[2]?.trim(), routesTable(), 'run test/readme-tables.ts to write it')
  t.end()
})
