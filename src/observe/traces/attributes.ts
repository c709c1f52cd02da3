/** The version of the semantic conventions that the names of OpenTelemetry are from. */
export const conventions = '1.45.0'

export interface AttributeEntry {
  /** The spans that have it. */
  readonly on: readonly ('server' | 'send' | 'process' | 'registration check' | 'backfill')[]
  readonly means: string
}

/**
 * The attributes of the spans. Those of `messaging` are in development in the semantic conventions: their names may
 * change.
 */
export const attributeTable = {
  'messaging.system': { on: ['send', 'process'], means: 'Always `riverhook`' },
  'messaging.operation.name': { on: ['send', 'process'], means: '`send` or `process`' },
  'messaging.operation.type': { on: ['send', 'process'], means: '`send` or `process`' },
  'messaging.destination.name': { on: ['send', 'process'], means: 'The endpoint, or the handler' },
  'messaging.message.id': { on: ['send', 'process'], means: 'The id of the event' },
  'messaging.message.body.size': { on: ['send', 'process'], means: 'The size of the body in bytes' },
  'riverhook.event.type': { on: ['send', 'process'], means: 'The type of the event; absent if it is quarantined' },
  'riverhook.realm': { on: ['send', 'process'], means: 'The realm of the event' },
  'riverhook.endpoint': {
    on: ['server', 'process', 'registration check', 'backfill'],
    means: 'The endpoint that received the event'
  },
  'riverhook.result': {
    on: ['server', 'send'],
    means: '`accepted`, `duplicate`, `conflict` or `quarantined`; of a request also `handshake` or `refused`'
  },
  'riverhook.code': { on: ['server'], means: 'The [code](errors.md) of a refused request' },
  'riverhook.commit.arrivals': { on: ['send'], means: 'How many events and requests were stored in the same commit' },
  'riverhook.commit.duration_ms': { on: ['send'], means: 'How long this commit took, in milliseconds' },
  'riverhook.delivery.id': { on: ['process'], means: 'The number of the delivery' },
  'riverhook.attempt': { on: ['process'], means: 'The number of the attempt, from 1' },
  'riverhook.outcome': {
    on: ['process'],
    means: '`done`, `retry`, `dead`, `lost`, `released` or `lease_lost`'
  },
  'riverhook.order_key.hash': {
    on: ['process'],
    means: 'A digest of the order key, made with a key of the inbox, so that the order key cannot be guessed from it'
  },
  'error.type': {
    on: ['send', 'process', 'registration check', 'backfill'],
    means: 'The code or the class of the error'
  }
} as const satisfies Readonly<Record<string, AttributeEntry>>

export type AttributeName = keyof typeof attributeTable
/** Attributes of a span. An undefined one is left out. */
export type SpanAttributes = Partial<Record<AttributeName, string | number | undefined>>
