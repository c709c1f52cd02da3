import { openStates } from '../../model/event.ts'

/** A metric as the documents describe it. */
export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly help: string
  /** Of a histogram. */
  readonly buckets?: readonly number[]
}

/** The answers to a request, as the label `result`. */
export const requestResults = [
  'accepted',
  'duplicate',
  'conflict',
  'handshake',
  'quarantined',
  'bad_request',
  'address',
  'unauthenticated',
  'too_large',
  'media_type',
  'method',
  'unavailable',
  'deadline',
  'overloaded',
  'draining',
  'fault'
] as const

/** The ends of an attempt, as the label `outcome`. */
export const attemptOutcomes = ['done', 'retry', 'dead', 'released', 'parked', 'lease_lost'] as const

/** The acts of operators, as the label `action`. */
export const actions = [
  'alarms.acknowledge',
  'alarms.reopen',
  'backfill.run',
  'events.erase',
  'events.export',
  'events.remove',
  'events.replay',
  'events.reveal',
  'handler.pause',
  'handler.resume',
  'keys.rebuild',
  'mismatches.acknowledge',
  'mismatches.reopen',
  'quarantine.retry',
  'registration.sync',
  'replay.stop',
  'session.begin',
  'session.end'
] as const

/** The effects of an act, as the label `outcome`. */
export const actOutcomes = ['changed', 'unchanged'] as const

/** The value of a label for what is neither in the configuration nor in a catalogue. */
export const other = 'other'

const commitBuckets = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.5]

export const metricTable = {
  riverhook_requests_total: {
    type: 'counter',
    labels: ['endpoint', 'result'],
    help: `Requests by answer: ${requestResults.join(', ')}`
  },
  riverhook_request_duration_seconds: {
    type: 'histogram',
    labels: ['endpoint'],
    help: 'Time from the arrival of a request to its answer',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 3]
  },
  riverhook_events_total: {
    type: 'counter',
    labels: ['type'],
    help: 'New events by type: those of the catalogue and of the handlers, and other'
  },
  riverhook_event_age_seconds: {
    type: 'histogram',
    labels: ['endpoint'],
    help: 'Time from the creation of an event to its arrival',
    buckets: [1, 5, 15, 60, 300, 900, 3600, 21600, 86400, 259200]
  },
  riverhook_clock_skew_seconds: {
    type: 'gauge',
    labels: ['endpoint'],
    help: 'Our clock minus the time that was signed with the last request whose signature was accepted'
  },
  riverhook_last_event_timestamp_seconds: {
    type: 'gauge',
    labels: ['endpoint'],
    help: 'When the last event arrived, also before the start of the process if it is one of the newest 100'
  },
  riverhook_attempts_total: {
    type: 'counter',
    labels: ['handler', 'outcome'],
    help: `Ended attempts by outcome: ${attemptOutcomes.join(', ')}`
  },
  riverhook_attempt_duration_seconds: {
    type: 'histogram',
    labels: ['handler'],
    help: 'How long attempts ran',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
  },
  riverhook_delivery_latency_seconds: {
    type: 'histogram',
    labels: ['handler'],
    help: 'Time from the arrival of an event to the end of its handling',
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 21600, 86400]
  },
  riverhook_attempts_running: { type: 'gauge', labels: ['handler'], help: 'Attempts that run now in this process' },
  riverhook_concurrency_limit: {
    type: 'gauge',
    labels: ['handler'],
    help: 'The most attempts at the same time in this process'
  },
  riverhook_inbox_deliveries: {
    type: 'gauge',
    labels: ['handler', 'state'],
    help: `Deliveries in the whole inbox that are not done, by state: ${openStates.join(', ')}`
  },
  riverhook_inbox_oldest_due_seconds: {
    type: 'gauge',
    labels: [],
    help: 'For how long the longest overdue delivery has been due; 0 if none is'
  },
  riverhook_inbox_quarantined: { type: 'gauge', labels: [], help: 'Quarantined requests' },
  riverhook_inbox_size_bytes: { type: 'gauge', labels: [], help: 'Size of the store; absent for memory:' },
  riverhook_inbox_up: {
    type: 'gauge',
    labels: [],
    help: '1 if the inbox can be written to and its gauges could be read within 1 s, else 0: they keep their last values'
  },
  riverhook_inbox_oldest_event_timestamp_seconds: {
    type: 'gauge',
    labels: [],
    help: 'When the oldest event of the inbox arrived'
  },
  riverhook_inbox_commit_duration_seconds: {
    type: 'histogram',
    labels: [],
    help: 'How long a commit of arrivals took',
    buckets: commitBuckets
  },
  riverhook_inbox_batch_events: {
    type: 'histogram',
    labels: [],
    help: 'Arrivals in a commit',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
  },
  riverhook_drift_total: {
    type: 'counter',
    labels: ['type', 'rule'],
    help: 'Payload mismatches by event type and by the rule of the schema'
  },
  riverhook_registration_ok: {
    type: 'gauge',
    labels: ['endpoint'],
    help: '1 if the webhook at the provider was as wanted at the last check, else 0'
  },
  riverhook_backfill_last_success_timestamp_seconds: {
    type: 'gauge',
    labels: ['endpoint'],
    help: 'When the list of the provider was last read completely by this process'
  },
  riverhook_backfill_recovered_total: {
    type: 'counter',
    labels: ['endpoint'],
    help: 'Events that had not arrived and were fetched at intervals'
  },
  riverhook_retention_purged_total: { type: 'counter', labels: [], help: 'Events that the retention purged' },
  riverhook_admin_requests_total: {
    type: 'counter',
    labels: ['action', 'outcome'],
    help: 'Acts of operators that are in the audit log, by effect: changed, unchanged'
  },
  riverhook_alarm_active: {
    type: 'gauge',
    labels: ['alarm', 'subject'],
    help: '1 for each alarm that is raised. The subject is an endpoint, a handler, or empty for the inbox'
  },
  riverhook_build_info: { type: 'gauge', labels: ['version', 'inbox', 'node'], help: 'Always 1' }
} as const satisfies Readonly<Record<string, MetricEntry>>

export type MetricName = keyof typeof metricTable
