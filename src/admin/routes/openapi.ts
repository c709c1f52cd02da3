import { readOwnJson } from '../../programs.ts'
import { AdminAnswer, type ScopedRoute } from '../route.ts'

const media = 'application/json; charset=utf-8'

export const showOpenapi: ScopedRoute = {
  method: 'GET',
  path: 'openapi.json',
  scope: 'read',
  schema: { summary: 'Get this document: OpenAPI 3.1', media: 'application/json', response: {} },
  handle: () =>
    new AdminAnswer({ headers: { 'content-type': media }, body: JSON.stringify(readOwnJson('admin/openapi.json')) })
}
