import { deliveryStates, type DeliveryState } from '../model/event.ts'
import type { AttemptLengths, HandlerLevels, Inbox } from './inbox.ts'
import { zeroUnfinished } from './rows.ts'

/** A handler of the server, or one that only deliveries or a pause are left of. */
export interface ListedHandler {
  readonly name: string
  /** Undefined for a handler that no server has any more. */
  readonly source: string | undefined
  readonly pattern: string | undefined
  readonly ordered: boolean | undefined
  readonly pausedSince: Date | undefined
  /** Its deliveries that are not done. */
  readonly deliveries: Readonly<Record<UnfinishedState, number>>
  /** When its longest overdue delivery fell due. */
  readonly oldestDueAt: Date | undefined
  /** How long its newest attempts took; undefined if it has none. */
  readonly lengths: Omit<AttemptLengths, 'handler'> | undefined
}

type UnfinishedState = Exclude<DeliveryState, 'done'>

/** The states of a delivery that is not done. */
export const unfinishedStates = deliveryStates.filter((state): state is UnfinishedState => state !== 'done')

/** Lists the handlers of the servers of an inbox: which are paused, what is left for them to do, how long they take. */
export async function listHandlers(inbox: Inbox): Promise<readonly ListedHandler[]> {
  const [handlers, pauses] = [await inbox.handlers(), await inbox.pauses()]
  const since = new Map(pauses.map((pause) => [pause.handler, pause.since]))
  const levels = new Map((await inbox.levels()).byHandler.map((each) => [each.handler, each]))
  const lengths = new Map((await inbox.lengths()).map(({ handler, ...found }) => [handler, found]))
  const gone = [...since.keys(), ...levels.keys(), ...lengths.keys()].filter(
    (name) => !handlers.some((each) => each.name === name)
  )
  const all = [
    ...handlers,
    ...[...new Set(gone)].map((name) => ({ name, source: undefined, pattern: undefined, ordered: undefined }))
  ]
  return all.map(({ name, source, pattern, ordered }) => ({
    name,
    source,
    pattern,
    ordered,
    pausedSince: since.get(name),
    deliveries: countUnfinished(levels.get(name)),
    // Deliveries of a paused handler wait on purpose.
    oldestDueAt: since.has(name) ? undefined : levels.get(name)?.oldestDueAt,
    lengths: lengths.get(name)
  }))
}

function countUnfinished(levels: HandlerLevels | undefined): ListedHandler['deliveries'] {
  if (levels === undefined) return zeroUnfinished()
  const { pending, later, waiting, running, dead, parked } = levels
  return { pending: pending + later, waiting, running, dead, parked }
}
