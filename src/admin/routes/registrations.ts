import type { RegistrationListJson } from '../api-types.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const listRegistrations: ScopedRoute = {
  method: 'GET',
  path: 'registrations',
  scope: 'read',
  schema: {
    summary: 'List the webhooks of the endpoints at the provider, as this process last saw them',
    response: { 200: schemas.RegistrationList }
  },
  handle: ({ riverhook }): Sent<RegistrationListJson> => ({ registrations: riverhook.registrations() })
}
