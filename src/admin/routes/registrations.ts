import type { RegistrationListJson, RegistrationPlanJson, SyncBodyJson } from '../api-types.ts'
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

export const syncRegistration: ScopedRoute<{ body: SyncBodyJson }> = {
  method: 'POST',
  path: 'registrations/sync',
  scope: 'operate',
  schema: {
    summary: 'Change the webhook of an endpoint to what the handlers need, or only plan that',
    body: schemas.SyncBody,
    response: { 200: schemas.RegistrationPlan }
  },
  handle: ({ riverhook, actor }, { body: { endpoint, dryRun } }): Promise<Sent<RegistrationPlanJson>> =>
    riverhook.syncRegistration(endpoint, { dryRun, by: actor })
}
