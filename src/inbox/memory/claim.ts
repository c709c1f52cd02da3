import type {
  Claim,
  ClaimedDelivery,
  ClaimRequest,
  ClaimSuspectsRequest,
  HandlerName,
  LostRun,
  Suspect
} from '../inbox.ts'
import { isExpired, isPending, type Delivery } from './rows.ts'
import type { Store } from './store.ts'

type LeaseTerms = Omit<ClaimSuspectsRequest, 'ids'>

/** Claims due deliveries and expired leases. Suspects are claimed on their own. */
export function claim(store: Store, request: ClaimRequest, now: number): Claim {
  return claimDue(store, request, now).claim
}

/** Claims as `claim` does. @returns also which of the handlers have nothing else due */
export function claimDue(
  store: Store,
  request: ClaimRequest,
  now: number
): { readonly claim: Claim; readonly exhausted: ReadonlySet<string> } {
  const exhausted = new Set<string>()
  const deliveries: ClaimedDelivery[] = []
  let nextDueAt = Infinity
  let left = request.limit
  for (const { handler, source, limit } of request.wants) {
    if (store.pauses.has(handler)) continue
    const room = Math.min(limit, left)
    const claimable = listClaimable(store.unsettled({ name: handler, source }), now).filter(
      (delivery) => !isSuspect(delivery)
    )
    const due = claimable.filter((delivery, index) => index < room && claimableAt(delivery) <= now)
    left -= due.length
    const claimed = due.flatMap((delivery) => leaseIfFirst(store, delivery, { ...request, onLoss: 'loss' }, now))
    deliveries.push(...claimed)
    if (due.length < room && claimed.length === due.length) exhausted.add(handler)
    // Deliveries that were not first now wait in their line. Others may be due instead.
    const rest = claimable[due.length]
    const next = claimed.length < due.length ? now : rest && claimableAt(rest)
    if (next !== undefined) nextDueAt = Math.min(nextDueAt, next)
  }
  const claim = { deliveries, nextDueAt: nextDueAt === Infinity ? undefined : new Date(nextDueAt) }
  return { claim, exhausted }
}

/** Lists the due suspects of these handlers. */
export function findSuspects(store: Store, handlers: readonly HandlerName[], now: number): Suspect[] {
  const suspects = handlers
    .filter(({ name }) => !store.pauses.has(name))
    .flatMap((handler) => store.unsettled(handler))
    .filter(isSuspect)
  return listClaimable(suspects, now)
    .filter(({ dueAt }) => dueAt <= now)
    .slice(0, 100)
    .map(({ id, handler, suspicion }) => ({ id, handler, suspicion }))
}

/** Claims these deliveries, if they are still due and first in the lines of their keys. */
export function claimSuspects(store: Store, { ids, ...terms }: ClaimSuspectsRequest, now: number): ClaimedDelivery[] {
  const due = ids
    .flatMap((id) => store.deliveries.get(id) ?? [])
    .filter((delivery) => isPending(delivery) && delivery.dueAt <= now && !store.pauses.has(delivery.handler))
  return due.flatMap((delivery) => leaseIfFirst(store, delivery, terms, now))
}

/** Pending deliveries and expired leases, the longest due first. */
function listClaimable(deliveries: readonly Delivery[], now: number): Delivery[] {
  return deliveries
    .filter((delivery) => isPending(delivery) || isExpired(delivery, now))
    .sort((one, other) => claimableAt(one) - claimableAt(other) || one.id - other.id)
}

/** The due time, or the end of the lease of a running delivery. */
function claimableAt({ state, dueAt, leaseUntil }: Delivery): number {
  return state === 'running' ? leaseUntil : dueAt
}

/** A pending delivery whose last run was lost. */
function isSuspect(delivery: Delivery): boolean {
  return isPending(delivery) && delivery.suspicion > 0
}

/** Puts failed deliveries of the key that are due again back in line. A lost run still has its place. */
function leaseIfFirst(store: Store, delivery: Delivery, terms: LeaseTerms, now: number): ClaimedDelivery[] {
  if (delivery.state !== 'running') store.lines.rejoin(delivery, now)
  return delivery.state === 'waiting' ? [] : [lease(store, delivery, terms, now)]
}

/** Leases a delivery. The attempt of a lost run was counted when it began. */
export function lease(
  store: Store,
  delivery: Delivery,
  { owner, leaseMs, onLoss }: LeaseTerms,
  now: number
): ClaimedDelivery {
  const lost: LostRun | undefined =
    delivery.state === 'running'
      ? { owner: delivery.owner, at: new Date(delivery.leaseUntil), onLoss: delivery.onLoss }
      : undefined
  if (lost === undefined) delivery.attempts += 1
  delivery.state = 'running'
  delivery.token += 1
  delivery.leaseUntil = now + leaseMs
  delivery.owner = owner
  delivery.onLoss = lost?.onLoss ?? onLoss
  const { id, token, handler, orderKey, attempts: attempt, losses, suspicion, jobId, row } = delivery
  const { arrival } = row
  const type = arrival.state === 'accepted' ? arrival.type : ''
  const { realm, id: eventId, source, headers, endpoint, receivedAt, body, trace } = arrival
  return {
    id,
    token,
    handler,
    orderKey,
    attempt,
    losses,
    suspicion,
    lost,
    replay: jobId === undefined ? undefined : { jobId, trace: store.jobs.get(jobId)?.job.trace },
    event: { realm, id: eventId, source, type, headers: { ...headers }, endpoint, receivedAt, body, trace }
  }
}
