import { RiverhookError, type QuarantineResult } from '../../index.ts'
import type {
  OneEventQueryJson,
  RemovedJson,
  ReplayedJson,
  ReplayOneBodyJson,
  RetriedJson,
  RetryBodyJson
} from '../api-types.ts'
import { findEvent } from '../find-event.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'

export const replayEvent: ScopedRoute<{ body: ReplayOneBodyJson }> = {
  method: 'POST',
  path: 'event/replay',
  scope: 'operate',
  schema: {
    summary: 'Run again the deliveries of an event that are not done',
    body: schemas.ReplayOneBody,
    response: { 200: schemas.Replayed }
  },
  async handle({ riverhook, actor }, { body: { event: key, handlers, includeDone } }): Promise<ReplayedJson> {
    const { realm, id } = await findEvent(riverhook.inbox, key)
    let replayed = 0
    for (const handler of handlers ?? [undefined])
      replayed += await riverhook.replay({ realm, id, handler, includeDone }, { by: actor })
    return { replayed }
  }
}

export const removeEvent: ScopedRoute<{ query: OneEventQueryJson }> = {
  method: 'DELETE',
  path: 'event',
  scope: 'operate',
  schema: {
    summary:
      'Remove an event with all its deliveries, for good. If the provider sends it again, it is handled again. Answers 409 for an erased event, which would come back',
    querystring: schemas.OneEventQuery,
    response: { 200: schemas.Removed }
  },
  async handle({ riverhook, actor }, { query }): Promise<RemovedJson> {
    const { realm, id, state } = await findEvent(riverhook.inbox, query)
    if (state === 'erased')
      throw new RiverhookError(
        'RIVERHOOK_ADMIN_CONFLICT',
        'The event is erased: it stays until the retention purges it, so that it does not come back'
      )
    return { removed: (await riverhook.removeEvents([{ realm, id }], { by: actor })) === 1 }
  }
}

export const retryQuarantined: ScopedRoute<{ body: RetryBodyJson }> = {
  method: 'POST',
  path: 'quarantine/retry',
  scope: 'operate',
  schema: {
    summary: 'Read a quarantined request again, and accept its event if it is valid now',
    body: schemas.RetryBody,
    response: { 200: schemas.Retried }
  },
  async handle({ riverhook, actor }, { body: { id } }): Promise<RetriedJson> {
    const result = await riverhook.retryQuarantined(id, { by: actor })
    if (result !== undefined) return describe(result)
    throw new RiverhookError('RIVERHOOK_ADMIN_NOT_FOUND', 'There is no quarantined request with this id')
  }
}

function describe(result: QuarantineResult): RetriedJson {
  if (typeof result === 'string') return { result }
  return 'stillInvalid' in result
    ? { result: 'still_invalid', reason: result.stillInvalid }
    : { result: 'not_stored', reason: result.notStored }
}
