import type { AlarmListJson } from '../api-types.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const listAlarms: ScopedRoute = {
  method: 'GET',
  path: 'alarms',
  scope: 'read',
  schema: {
    summary: 'List the alarms that are raised now',
    response: { 200: schemas.AlarmList }
  },
  handle: async ({ riverhook }): Promise<Sent<AlarmListJson>> => ({ alarms: await riverhook.alarms() })
}
