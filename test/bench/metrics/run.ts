import { Registry } from '@prometheus-io/client'

import { publish } from '../../../src/model/channels.ts'
import { Metrics } from '../../../src/observe/metrics/metrics.ts'
import { quietSubject } from '../../observe/metrics-subject.ts'
import { readLoad } from '../machine.ts'
import { estimate, estimateText, median } from '../statistics.ts'

const atMost = 3
const eventsPerSlice = 20_000
/** How many events share a commit. */
const eventsPerCommit = 30
const types = ['order.accepted', 'order.blocked', 'refund.failed', 'subscription.lapsed', 'invoice.open']
const handlers = ['erp', 'mail', 'warehouse']
const endpoint = '/webhooks'
const realm = 'digital-river'

/**
 * Publishes what the receiver publishes for an event that is accepted and handled, first without subscribers, and then
 * with metrics. Prints the difference of the CPU time for one event.
 * @returns false if it is more than expected
 */
export function metrics(rounds: number): boolean {
  const without = median(Array.from({ length: rounds }, slice))
  const subject = quietSubject({
    endpoints: [{ path: endpoint, realm, hasBackfill: false }],
    handlers: handlers.map((name) => ({ name, concurrency: 10 })),
    types
  })
  const counted = new Metrics(new Registry(), subject)
  // The first slices create the series, and compile.
  for (let count = 0; count < 5; count += 1) slice()
  const micros = estimate(Array.from({ length: rounds }, () => slice() - without))
  counted.end()
  const isReached = micros.median <= atMost
  console.log(
    `metrics: ${estimateText(micros)} us of CPU time for an event; expected: at most ${atMost}: ${isReached ? 'PASS' : 'MISSED'}; load ${readLoad()}`
  )
  return isReached
}

/** @returns the CPU time for one event, in microseconds */
function slice(): number {
  const start = process.cpuUsage()
  for (let count = 0; count < eventsPerSlice; count += 1) publishEvent(count)
  const { user, system } = process.cpuUsage(start)
  return (user + system) / eventsPerSlice
}

function publishEvent(count: number): void {
  const event_type = types[count % types.length] ?? ''
  const handler = handlers[count % handlers.length] ?? ''
  const duration_ms = (count % 97) / 7
  if (count % eventsPerCommit === 0) publish('committed', { arrivals: eventsPerCommit, duration_ms })
  const event = { endpoint, realm, event_id: '1', event_type, duration_ms }
  publish('received', { ...event, result: 'accepted', age_ms: count % 5_000 })
  publish('answered', {
    endpoint,
    realm,
    result: 'accepted',
    code: undefined,
    status_code: 202,
    duration_ms,
    skew_ms: count % 50
  })
  publish('settled', {
    realm,
    event_id: '1',
    event_type,
    handler,
    attempt: 1,
    state: 'done',
    duration_ms,
    latency_ms: duration_ms,
    error: undefined
  })
}
