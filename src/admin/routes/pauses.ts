import type { ChangedJson, HandlerBodyJson } from '../api-types.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'

export const pauseHandler: ScopedRoute<{ body: HandlerBodyJson }> = {
  method: 'POST',
  path: 'handlers/pause',
  scope: 'operate',
  schema: {
    summary: 'Pause a handler in all processes and across restarts: its deliveries wait',
    body: schemas.HandlerBody,
    response: { 200: schemas.Changed }
  },
  async handle({ riverhook, actor }, { body }): Promise<ChangedJson> {
    const isPaused = (await riverhook.inbox.pauses()).some(({ handler }) => handler === body.name)
    await riverhook.pauseHandler(body.name, { by: actor })
    return { changed: !isPaused }
  }
}

export const resumeHandler: ScopedRoute<{ body: HandlerBodyJson }> = {
  method: 'POST',
  path: 'handlers/resume',
  scope: 'operate',
  schema: {
    summary: 'Resume a paused handler: its deliveries run, in their order',
    body: schemas.HandlerBody,
    response: { 200: schemas.Changed }
  },
  handle: async ({ riverhook, actor }, { body }): Promise<ChangedJson> => ({
    changed: await riverhook.resumeHandler(body.name, { by: actor })
  })
}
