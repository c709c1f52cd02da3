import type { JobReplayResult, ReplayResult, ReplayTarget } from '../inbox.ts'
import { stateBeforeLineUp } from '../rows.ts'
import { addDelivery } from './record.ts'
import type { Delivery } from './rows.ts'
import type { Store } from './store.ts'

/** Makes deliveries due again, and creates those that do not exist yet. */
export function replay(store: Store, targets: readonly ReplayTarget[], now: number): ReplayResult[] {
  return targets.map((target) => replayOne(store, target, now))
}

/** Replays deliveries for a job, except those that it or a later job has replayed before. */
export function replayOnce(
  store: Store,
  jobId: number,
  targets: readonly ReplayTarget[],
  now: number
): JobReplayResult[] {
  return targets.map((target) => {
    const find = (): Delivery | undefined =>
      store.find(target.event)?.deliveries.find(({ handler }) => handler === target.handler)
    if ((find()?.jobId ?? 0) >= jobId) return 'repeated'
    const result = replayOne(store, target, now)
    const delivery = find()
    if (delivery !== undefined && (result === 'replayed' || result === 'created')) delivery.jobId = jobId
    return result
  })
}

function replayOne(
  store: Store,
  { event, handler, orderKey, unlessDone, dueInMs = 0 }: ReplayTarget,
  now: number
): ReplayResult {
  const row = store.find(event)
  if (row?.arrival.state !== 'accepted') return 'unknown_event'
  const delivery = row.deliveries.find((candidate) => candidate.handler === handler)
  if (delivery === undefined) {
    addDelivery(store, row, { handler, orderKey }, now + dueInMs)
    return 'created'
  }
  if (delivery.state === 'running' || (delivery.state === 'done' && unlessDone === true)) return delivery.state
  rewind(delivery, now, dueInMs)
  delivery.state = store.hasHandler(delivery) ? stateBeforeLineUp(delivery) : 'parked'
  store.lines.add(delivery)
  store.lines.lineUp(delivery)
  return 'replayed'
}

/** Resets a delivery, as if it had never run, except for its log of attempts. */
function rewind(delivery: Delivery, now: number, dueInMs: number): void {
  const at = new Date(now)
  if (delivery.attempts > 0)
    delivery.attemptLog.push({
      attempt: delivery.attempts,
      state: 'replayed',
      startedAt: at,
      endedAt: at,
      error: undefined
    })
  delivery.attempts = 0
  delivery.losses = 0
  delivery.suspicion = 0
  delivery.dueAt = now + dueInMs
  delivery.overtakable = false
  delivery.settledAt = undefined
}
