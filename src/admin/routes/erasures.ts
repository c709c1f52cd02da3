import { createHash } from 'node:crypto'

import { RiverhookError, type EventKey, type Inbox, type ReplayFilter } from '../../index.ts'
import { findErasable } from '../../programs.ts'
import type { ErasedEventsJson, ErasureJson, ErasurePlanJson, RemovalBodyJson } from '../api-types.ts'
import { readSelection, readStep, refuseEmpty } from '../plan-body.ts'
import type { AdminContext, ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

/** The most events of one erasure. */
const mostErased = 10_000

export const planOrErase: ScopedRoute<{ body: RemovalBodyJson }> = {
  method: 'POST',
  path: 'erasures',
  scope: 'erase',
  schema: {
    summary:
      'Erase the personal data of events, for good: payload, keys and errors. Each event stays, so that it does not come back. First plan it with `dryRun: true`, then send the plan and its count. Answers 409 if the count differs, or if other events match now',
    body: schemas.RemovalBody,
    response: { 200: schemas.Erasure }
  },
  async handle(context, { body }): Promise<Sent<ErasureJson>> {
    const step = readStep(body)
    return step.plan === undefined ? plan(context, step.body) : erase(context, step)
  }
}

async function plan(context: AdminContext, body: RemovalBodyJson): Promise<Sent<ErasurePlanJson>> {
  const { plans, actor } = context
  const { inbox } = context.riverhook
  const selection = await readSelection(body, context)
  refuseEmpty(selection, 'erase')
  const upTo = await inbox.position()
  const { keys, open, capped } = await find(inbox, selection, upTo)
  const count = keys.length
  const written = await plans.write({ kind: 'erasure', selection, upTo, count, digest: digestOf(keys) }, actor)
  return { ...written, count, open, capped }
}

async function erase(
  { riverhook, plans, actor }: AdminContext,
  { plan, expectedCount }: { readonly plan: string; readonly expectedCount: number }
): Promise<Sent<ErasedEventsJson>> {
  const { selection, upTo, digest } = await plans.read(plan, { kind: 'erasure', actor, expectedCount })
  const { events: chosen, ...filter } = selection
  const { keys } = await find(riverhook.inbox, selection, upTo)
  // None: the plan was carried out before.
  if (keys.length > 0 && digestOf(keys) !== digest)
    throw new RiverhookError('RIVERHOOK_ADMIN_CONFLICT', 'Other events match now than in the plan: plan again')
  return riverhook.eraseEvents(keys, { by: actor, filter: chosen === undefined ? filter : undefined })
}

/** Finds the events, the oldest first, without those that arrived after a position. */
async function find(
  inbox: Inbox,
  { events, includeDone: _never, ...filter }: ReplayFilter,
  upTo: number
): ReturnType<typeof findErasable> {
  if (events === undefined) return findErasable(inbox, { ...filter, upTo, oldestFirst: true }, mostErased)
  const found = await Promise.all(events.map(({ realm, id }) => findErasable(inbox, { realm, id, upTo })))
  return {
    keys: found.flatMap(({ keys }) => keys),
    open: found.reduce((sum, { open }) => sum + open, 0),
    capped: false
  }
}

function digestOf(keys: readonly EventKey[]): string {
  const texts = keys.map(({ realm, id }) => JSON.stringify([realm, id])).sort()
  return createHash('sha256').update(texts.join('\n')).digest('base64url')
}
