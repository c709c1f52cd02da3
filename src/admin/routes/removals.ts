import { createHash } from 'node:crypto'

import { RiverhookError, type Inbox, type RemovalTarget, type ReplayFilter } from '../../index.ts'
import { describeStates, findRemovable, type Removable } from '../../programs.ts'
import type { RemovalBodyJson, RemovalJson, RemovalPlanJson, RemovedEventsJson } from '../api-types.ts'
import { readSelection, readStep, refuseEmpty } from '../plan-body.ts'
import type { AdminContext, ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

/** The most events of one removal. */
const mostRemoved = 10_000
/** How long a plan looks for events, in milliseconds: as long as that of a replay. */
const planMs = 2_000
/** How long the events of a plan are looked for again, in milliseconds: the machine may be busier than before. */
const findAgainMs = 10_000

export const planOrRemove: ScopedRoute<{ body: RemovalBodyJson }> = {
  method: 'POST',
  path: 'removals',
  scope: 'operate',
  schema: {
    summary:
      'Remove events with all their deliveries, for good. First plan it with `dryRun: true`, then send the plan and its count. Answers 409 if the count differs, or if other events match now, or their states have changed',
    body: schemas.RemovalBody,
    response: { 200: schemas.Removal }
  },
  async handle(context, { body }): Promise<Sent<RemovalJson>> {
    const step = readStep(body)
    return step.plan === undefined ? plan(context, step.body) : remove(context, step)
  }
}

async function plan(context: AdminContext, body: RemovalBodyJson): Promise<Sent<RemovalPlanJson>> {
  const {
    riverhook: { inbox },
    plans,
    actor,
    signal
  } = context
  const selection = await readSelection(body, context)
  refuseEmpty(selection, 'remove')
  const newest = await inbox.position()
  const {
    targets,
    kept,
    capped,
    searchedTo: upTo = newest
  } = await find(inbox, selection, { upTo: newest, timeMs: planMs, signal })
  const count = targets.length
  const written = await plans.write({ kind: 'removal', selection, upTo, count, digest: digestOf(targets) }, actor)
  return { ...written, count, capped, kept }
}

async function remove(
  { riverhook, plans, actor, signal }: AdminContext,
  given: { readonly plan: string; readonly expectedCount: number }
): Promise<RemovedEventsJson> {
  const { selection, upTo, digest } = await plans.read(given.plan, {
    kind: 'removal',
    actor,
    expectedCount: given.expectedCount
  })
  const { events: chosen, ...filter } = selection
  const { targets, searchedTo } = await find(riverhook.inbox, selection, { upTo, timeMs: findAgainMs, signal })
  // The client has disconnected.
  if (signal.aborted) return { removed: 0 }
  if (searchedTo !== undefined)
    throw new RiverhookError(
      'RIVERHOOK_INBOX_READ_LIMIT',
      `The events of the plan were not found within ${findAgainMs / 1_000} s: plan again, with fewer events`
    )
  // None: the plan was carried out before.
  if (targets.length > 0 && digestOf(targets) !== digest)
    throw new RiverhookError(
      'RIVERHOOK_ADMIN_CONFLICT',
      'Other events match now than in the plan, or their states have changed: plan again'
    )
  return {
    removed: await riverhook.removeEvents(targets, { by: actor, filter: chosen === undefined ? filter : undefined })
  }
}

/** Finds the events, the oldest first, without those that arrived after a position. */
async function find(
  inbox: Inbox,
  { events, includeDone: _never, ...filter }: ReplayFilter,
  { upTo, timeMs, signal }: { readonly upTo: number; readonly timeMs: number; readonly signal: AbortSignal }
): Promise<Removable> {
  if (events === undefined)
    return findRemovable(inbox, { ...filter, upTo, oldestFirst: true }, { most: mostRemoved, timeMs, signal })
  const chosen = new Map<string, RemovalTarget>()
  for (const { realm, id } of events)
    for (const target of (await findRemovable(inbox, { realm, id, upTo })).targets)
      chosen.set(JSON.stringify([realm, id]), target)
  return { targets: [...chosen.values()], kept: 0, capped: false }
}

/** A digest of the events, and of their states as they were seen. */
function digestOf(targets: readonly RemovalTarget[]): string {
  const texts = targets.map(({ realm, id, seen }) => JSON.stringify([realm, id, seen && describeStates(seen)])).sort()
  return createHash('sha256').update(texts.join('\n')).digest('base64url')
}
