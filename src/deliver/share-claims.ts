import { takenAhead, takenSlots, type Lane, type Want } from './lane.ts'

/**
 * Shares the free slots among the handlers, and adds deliveries that are claimed before a slot is free. Pure.
 *
 * A handler gets those only when its own slots are full, and only while the slots suffice for every handler that asks.
 * `Pace` limits their number, so that they begin soon. All handlers together have at most `concurrency` of them.
 * Deliveries with an order key are never claimed ahead.
 *
 * @param concurrency the most attempts that run at the same time
 * @param wanted the most deliveries that a handler can use
 */
export function shareClaims(
  lanes: readonly Lane[],
  concurrency: number,
  wanted: (lane: Lane) => number
): readonly Want[] {
  const wants = shareSlots(lanes, concurrency, wanted)
  const limits = new Map(wants.map(({ lane, limit }) => [lane, limit]))
  const taken = (lane: Lane): number => takenSlots(lane) + (limits.get(lane) ?? 0)
  const isShort = (lane: Lane): boolean =>
    taken(lane) < lane.handler.concurrency && wanted(lane) > (limits.get(lane) ?? 0)
  if (lanes.some(isShort)) return wants
  let left = Math.max(0, concurrency - lanes.reduce((sum, lane) => sum + takenAhead(lane), 0))
  const asking = lanes
    .map((lane) => {
      const most = Math.min(wanted(lane) - (limits.get(lane) ?? 0), ahead(lane) - takenAhead(lane))
      return { lane, most: taken(lane) < lane.handler.concurrency ? 0 : most }
    })
    .filter(({ most }) => most > 0)
    .sort((a, b) => a.most - b.most)
  asking.forEach(({ lane, most }, index) => {
    const share = Math.min(most, Math.floor(left / (asking.length - index)))
    left -= share
    limits.set(lane, (limits.get(lane) ?? 0) + share)
  })
  return Array.from(limits, ([lane, limit]) => ({ lane, limit })).filter(({ limit }) => limit > 0)
}

function ahead({ handler, pace }: Lane): number {
  return handler.orderBy === undefined ? pace.ahead(handler.concurrency) : 0
}

/**
 * Shares the free slots among the handlers. Pure.
 *
 * If there are at least as many slots as handlers, one slot is kept free for each idle handler: handlers that hang can
 * fill all other slots, but cannot prevent an idle handler from starting. The other slots are shared out, first to the
 * handlers with the fewest running attempts. A slot that is not used is offered to others at the next claim.
 *
 * @param concurrency the most attempts that run at the same time
 * @param wanted the most deliveries that a handler can use
 * @returns limits whose sum is at most the number of free slots
 */
export function shareSlots(
  lanes: readonly Lane[],
  concurrency: number,
  wanted: (lane: Lane) => number
): readonly Want[] {
  let free = concurrency
  let idle = 0
  for (const lane of lanes) {
    const taken = takenSlots(lane)
    free -= taken
    if (taken === 0) idle += 1
  }
  const asking = lanes
    .map((lane) => ({ lane, limit: 0, most: Math.min(wanted(lane), lane.handler.concurrency - takenSlots(lane)) }))
    .filter(({ most }) => most > 0)
    .sort((a, b) => takenSlots(a.lane) - takenSlots(b.lane))
  let shared = free
  if (concurrency >= lanes.length) {
    shared = free - idle
    for (const want of asking) if (takenSlots(want.lane) === 0) want.limit = 1
  }
  let open = asking.filter(hasSlot)
  while (shared > 0 && open.length > 0) {
    const share = Math.max(1, Math.floor(shared / open.length))
    for (const want of open) {
      const more = Math.min(share, shared, want.most - want.limit)
      want.limit += more
      shared -= more
    }
    open = open.filter(hasSlot)
  }
  return asking.filter(({ limit }) => limit > 0).map(({ lane, limit }) => ({ lane, limit }))
}

function hasSlot({ limit, most }: { readonly limit: number; readonly most: number }): boolean {
  return limit < most
}
