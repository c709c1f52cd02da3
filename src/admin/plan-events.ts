import { createHash } from 'node:crypto'

import { RiverhookError, type EventFilter, type ReplayFilter, type RemovalTarget } from '../index.ts'
import { describeStates, type FoundEvents, type findRemovable } from '../programs.ts'
import type { RemovalBodyJson } from './api-types.ts'
import { readSelection, refuseEmpty } from './plan-body.ts'
import type { AdminContext } from './route.ts'

/** An act on many events that needs a plan. */
export interface PlannedAct {
  readonly kind: 'removal' | 'erasure'
  /** For a message. */
  readonly verb: 'remove' | 'erase'
  /** Finds the events that it changes. */
  readonly find: typeof findRemovable
}

/** The most events of one plan. */
const mostEvents = 10_000
/** How long a plan looks for events, in milliseconds: as long as that of a replay. */
const planMs = 2_000
/** How long the events of a plan are looked for again, in milliseconds: the machine may be busier than before. */
const findAgainMs = 10_000

/** Plans an act. @throws {RiverhookError} RIVERHOOK_ADMIN_INVALID, RIVERHOOK_ADMIN_FORBIDDEN; as `checkFilter` */
export async function planEvents(
  context: AdminContext,
  body: RemovalBodyJson,
  { kind, verb, find }: PlannedAct
): Promise<FoundEvents & { readonly plan: string; readonly expiresAt: Date; readonly count: number }> {
  const { riverhook, plans, actor } = context
  const selection = await readSelection(body, context)
  refuseEmpty(selection, verb)
  await riverhook.checkFilter(selection)
  const newest = await riverhook.inbox.position()
  const found = await findEvents(context, selection, { find, upTo: newest, timeMs: planMs })
  const { targets, searchedTo: upTo = newest } = found
  const count = targets.length
  const written = await plans.write({ kind, selection, upTo, count, digest: digestOf(targets) }, actor)
  return { ...found, ...written, count }
}

/**
 * Finds the events of a plan again, in the states in which they were planned.
 * @returns the events, and the filter for the audit log; undefined if the client has disconnected
 * @throws {RiverhookError} RIVERHOOK_ADMIN_CONFLICT, RIVERHOOK_INBOX_READ_LIMIT; what `Plans.read` throws
 */
export async function findPlanned(
  context: AdminContext,
  { plan, expectedCount }: { readonly plan: string; readonly expectedCount: number },
  { kind, find }: PlannedAct
): Promise<
  { readonly targets: readonly RemovalTarget[]; readonly filter: Omit<EventFilter, 'limit'> | undefined } | undefined
> {
  const { plans, actor, signal } = context
  const { selection, upTo, digest } = await plans.read(plan, { kind, actor, expectedCount })
  const { targets, searchedTo } = await findEvents(context, selection, { find, upTo, timeMs: findAgainMs })
  if (signal.aborted) return undefined
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
  const { events: chosen, ...filter } = selection
  return { targets, filter: chosen === undefined ? filter : undefined }
}

/** Finds the events, the oldest first, without those that arrived after a position. */
async function findEvents(
  { riverhook: { inbox }, signal }: Pick<AdminContext, 'riverhook' | 'signal'>,
  { events, includeDone: _never, ...filter }: ReplayFilter,
  { find, upTo, timeMs }: Pick<PlannedAct, 'find'> & { readonly upTo: number; readonly timeMs: number }
): Promise<FoundEvents> {
  if (events === undefined)
    return find(inbox, { ...filter, upTo, oldestFirst: true }, { most: mostEvents, timeMs, signal })
  const chosen = new Map(events.map(({ realm, id }) => [JSON.stringify([realm, id]), { realm, id }]))
  const targets: RemovalTarget[] = []
  let kept = 0
  for (const key of chosen.values()) {
    const found = await find(inbox, { ...key, upTo })
    targets.push(...found.targets)
    kept += found.kept
  }
  return { targets, kept, capped: false }
}

/** A digest of the events, and of their states as they were seen. */
function digestOf(targets: readonly RemovalTarget[]): string {
  const texts = targets.map(({ realm, id, seen }) => JSON.stringify([realm, id, seen && describeStates(seen)])).sort()
  return createHash('sha256').update(texts.join('\n')).digest('base64url')
}
