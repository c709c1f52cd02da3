import { createHash } from 'node:crypto'

import { RiverhookError, type EventKey, type Inbox, type ReplayFilter } from '../../index.ts'
import { findRemovable } from '../../programs.ts'
import type { RemovalBodyJson, RemovalJson, RemovalPlanJson, RemovedEventsJson } from '../api-types.ts'
import { readSelection, readStep } from '../plan-body.ts'
import type { AdminContext, ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

/** The most events of one removal. */
const mostRemoved = 10_000

export const planOrRemove: ScopedRoute<{ body: RemovalBodyJson }> = {
  method: 'POST',
  path: 'removals',
  scope: 'operate',
  schema: {
    summary:
      'Remove events with all their deliveries, for good. First plan it with `dryRun: true`, then send the plan and its count. Answers 409 if the count differs, or if other events match now',
    body: schemas.RemovalBody,
    response: { 200: schemas.Removal }
  },
  async handle(context, { body }): Promise<Sent<RemovalJson>> {
    const step = readStep(body)
    return step.plan === undefined ? plan(context, step.body) : remove(context, step)
  }
}

async function plan(
  { riverhook, plans, actor, scopes }: AdminContext,
  body: RemovalBodyJson
): Promise<Sent<RemovalPlanJson>> {
  const { inbox } = riverhook
  const selection = readSelection(body, scopes)
  if (Object.values(selection).every((value) => value === undefined || (Array.isArray(value) && value.length === 0)))
    throw new RiverhookError('RIVERHOOK_ADMIN_INVALID', 'An empty filter would remove all events: give a condition')
  const upTo = await inbox.position()
  const { keys, spared, capped } = await find(inbox, selection, upTo)
  const written = await plans.write(
    { kind: 'removal', selection, upTo, count: keys.length, digest: digestOf(keys) },
    actor
  )
  return { ...written, count: keys.length, capped, spared }
}

async function remove(
  { riverhook, plans, actor }: AdminContext,
  given: { readonly plan: string; readonly expect: number }
): Promise<RemovedEventsJson> {
  const { selection, upTo, digest } = await plans.read(given.plan, { kind: 'removal', actor, expect: given.expect })
  const { events: chosen, ...filter } = selection
  const { keys } = await find(riverhook.inbox, selection, upTo)
  // None: the plan was carried out before.
  if (keys.length > 0 && digestOf(keys) !== digest)
    throw new RiverhookError('RIVERHOOK_ADMIN_CONFLICT', 'Other events match now than in the plan: plan again')
  return {
    removed: await riverhook.removeEvents(keys, { by: actor, filter: chosen === undefined ? filter : undefined })
  }
}

/** Finds the events, the oldest first, without those that arrived after a position. */
async function find(
  inbox: Inbox,
  { events, includeDone: _never, ...filter }: ReplayFilter,
  upTo: number
): ReturnType<typeof findRemovable> {
  if (events === undefined) return findRemovable(inbox, { ...filter, upTo, oldestFirst: true }, mostRemoved)
  const keys = new Map<string, EventKey>()
  for (const { realm, id } of events)
    for (const key of (await findRemovable(inbox, { realm, id, upTo })).keys) keys.set(JSON.stringify([realm, id]), key)
  return { keys: [...keys.values()], spared: 0, capped: false }
}

function digestOf(keys: readonly EventKey[]): string {
  const texts = keys.map(({ realm, id }) => JSON.stringify([realm, id])).sort()
  return createHash('sha256').update(texts.join('\n')).digest('base64url')
}
