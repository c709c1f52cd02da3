import type { EventState } from '../../src/index.ts'
import type { EventFilter } from '../../src/inbox/inbox.ts'
import type { DeliveryState } from '../../src/model/event.ts'

/** An event of a large inbox. */
export interface ManyEvent {
  readonly realm: string
  readonly id: string
  readonly source: string
  readonly state: EventState
  readonly type: string
  readonly endpoint: string
  /** Missing if the source does not say. */
  readonly liveMode: boolean | undefined
  readonly receivedAt: Date
  readonly about: readonly string[]
  readonly deliveries: readonly {
    readonly handler: string
    readonly state: DeliveryState
    readonly orderKey: string | null
  }[]
}

const day = 86_400_000
const start = Date.UTC(2026, 0, 1)
const resources = ['order', 'invoice', 'fulfillment', 'refund', 'subscription'] as const
const happenings = ['accepted', 'created', 'blocked', 'complete', 'failed', 'updated', 'deleted', 'pending'] as const
/** The first are the most frequent. */
const types = happenings.flatMap((happening) => resources.map((resource) => `${resource}.${happening}`))
const places = [
  { source: 'digital-river', realm: 'digital-river', endpoint: '/webhooks', live: 1, from: 0 },
  { source: 'digital-river', realm: 'digital-river:test', endpoint: '/webhooks/test', live: 0, from: 0.8 },
  { source: 'stripe', realm: 'stripe', endpoint: '/stripe', live: 0.9, from: 0.9 },
  { source: 'github', realm: 'github', endpoint: '/github', live: undefined, from: 0.98 }
] as const

/**
 * Returns the state of a delivery.
 * @param position of its event, from 0 to 1
 * @param share a random number from 0 to 1
 */
export type ChooseState = (handler: string, position: number, share: number) => DeliveryState

/**
 * The events of a large inbox, as they are spread in a real one: a few types are half of them, most deliveries are
 * done, the newest are pending, and a handler that was removed has some old ones.
 */
export function* manyEvents(count: number, chooseState: ChooseState = stateOf): Generator<ManyEvent> {
  const random = randoms()
  for (let index = 0; index < count; index += 1) {
    const share = random()
    const { source, realm, endpoint, live } = places.findLast(({ from }) => share >= from) ?? places[0]
    const type = types[Math.floor((types.length + 1) ** random() - 1)] ?? types[0] ?? ''
    const isQuarantined = index % 5_000 === 4_999
    const receivedAt = new Date(start + Math.floor((index / count) * 30 * day))
    yield {
      realm,
      id: `event-${index}`,
      source,
      state: isQuarantined ? 'quarantined' : 'accepted',
      type: isQuarantined ? '' : type,
      // The address was another one in the beginning.
      endpoint: index < count / 50 ? '/old' : endpoint,
      liveMode: isQuarantined || live === undefined ? undefined : (index % 100) / 100 < live,
      receivedAt,
      about: isQuarantined ? [] : [`order-${index % 700_000}`, `customer-${Math.floor(2_000 * random() ** 3)}`],
      deliveries: isQuarantined
        ? []
        : handlersOf(source, realm, type, index, count).map((handler) => {
            const state = chooseState(handler, index / count, random())
            return { handler, state, orderKey: state === 'waiting' ? `key-${index % 1_000}` : null }
          })
    }
  }
}

function handlersOf(source: string, realm: string, type: string, index: number, count: number): readonly string[] {
  return [
    ...(source === 'digital-river' && type.startsWith('order.') ? ['erp'] : []),
    ...(source === 'digital-river' && /^invoice\.|^order\.accepted$/.test(type) ? ['mail'] : []),
    ...(realm === 'digital-river' ? ['archive'] : []),
    ...(source === 'stripe' ? ['ledger'] : []),
    ...(index < count / 50 && index % 40 === 0 ? ['removed'] : [])
  ]
}

function stateOf(handler: string, position: number, share: number): DeliveryState {
  if (handler === 'removed') return 'parked'
  if (position > 0.998) return 'pending'
  if (share < 0.001) return 'dead'
  if (share < 0.0015) return 'pending'
  return share < 0.0018 ? 'waiting' : 'done'
}

/** The same numbers from 0 to 1 in each run. */
function randoms(): () => number {
  let last = 1
  return () => {
    last = (last * 1_103_515_245 + 12_345) % 2_147_483_648
    return last / 2_147_483_648
  }
}

const given = {
  id: ['event-77', 'event-x'],
  about: ['order-77', 'order-11*', 'customer-0', 'customer-1999', 'customer-*', 'nothing', 'nothing*'],
  realm: ['digital-river', 'digital-river:test', 'stripe', 'github', 'nowhere'],
  source: ['digital-river', 'stripe', 'github', 'nobody'],
  type: ['order.accepted', 'invoice.created', 'subscription.pending', 'order.unknown'],
  pattern: ['order.*', 'invoice.*', 'subscription.*', 'unknown.*', '*'],
  endpoint: ['/webhooks', '/webhooks/test', '/stripe', '/github', '/old', '/none'],
  live: [true, false],
  state: ['accepted', 'quarantined', 'pending', 'waiting', 'running', 'done', 'dead', 'parked'],
  handler: ['erp', 'mail', 'archive', 'ledger', 'removed', 'nobody'],
  since: [0.1, 5, 15, 25, 29.9, 31].map((days) => new Date(start + days * day)),
  until: [0.1, 5, 15, 25, 29.9, 31].map((days) => new Date(start + days * day))
} as const

type FilterName = keyof typeof given

/** Each filter of a list, alone and with each other one, with all their values. */
export function filtersByTwos(limit = 51): readonly { readonly name: string; readonly filter: EventFilter }[] {
  const names = Object.keys(given) as FilterName[]
  const combinations = names.flatMap((name, index) => [[name], ...names.slice(index + 1).map((other) => [name, other])])
  return combinations
    .filter((names) => !(names.includes('type') && names.includes('pattern')))
    .flatMap((names) => {
      let filters: EventFilter[] = [{ limit }]
      for (const name of names)
        filters = filters.flatMap((filter) =>
          given[name].map((value) => ({ ...filter, [name === 'pattern' ? 'type' : name]: value }))
        )
      return filters.map((filter) => ({ name: names.join(' and '), filter }))
    })
}
