import type { AlarmKey } from '../../index.ts'
import type { AlarmKeyJson, AlarmListJson, ChangedJson } from '../api-types.ts'
import type { AdminContext, ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const listAlarms: ScopedRoute = {
  method: 'GET',
  path: 'alarms',
  scope: 'read',
  schema: {
    summary: 'List the alarms that are raised now, and those that cannot be checked',
    response: { 200: schemas.AlarmList }
  },
  handle: async ({ riverhook }): Promise<Sent<AlarmListJson>> => ({ alarms: await riverhook.alarms() })
}

export const acknowledgeAlarm: ScopedRoute<{ body: AlarmKeyJson }> = {
  method: 'PUT',
  path: 'alarms/acknowledged',
  scope: 'operate',
  schema: {
    summary: 'Acknowledge an alarm: it is not reported again until it is resolved, unless it becomes worse',
    body: schemas.AlarmKey,
    response: { 200: schemas.Changed }
  },
  handle: (context, { body }) => mark(context, body, false)
}

export const reopenAlarm: ScopedRoute<{ query: AlarmKeyJson }> = {
  method: 'DELETE',
  path: 'alarms/acknowledged',
  scope: 'operate',
  schema: {
    summary: 'Take back that an alarm is acknowledged',
    querystring: schemas.AlarmKey,
    response: { 200: schemas.Changed }
  },
  handle: (context, { query }) => mark(context, query, true)
}

async function mark({ riverhook, actor }: AdminContext, alarm: AlarmKeyJson, reopen: boolean): Promise<ChangedJson> {
  // A condition that does not exist is in no list, so it changes nothing.
  const key = { ...alarm, since: new Date(alarm.since) } as AlarmKey
  return { changed: (await riverhook.acknowledgeAlarms([key], { reopen, by: actor })) > 0 }
}
