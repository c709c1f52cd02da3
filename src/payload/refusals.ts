import type { AnyEvent } from '../model/event.ts'
import type { Handler } from '../handlers/registry.ts'
import type { PayloadMismatch } from './mismatches.ts'
import { describePayload, PayloadChecks, type PayloadMode } from './checks.ts'
import type { Source } from '../source/source.ts'

export interface PayloadRefusalOptions {
  readonly source: Pick<Source, 'types' | 'withdrawnTypes' | 'schemaOf' | 'inferredTypes' | 'payloadPath'>
  /** The handlers of the type. Their own `validate` and `schema` count. */
  readonly handlersOf: (type: string) => readonly Handler[]
  /** The `validate` of an endpoint. */
  readonly modeOf: (endpoint: string) => PayloadMode
  /** The checks of the routes, if there are routes. */
  readonly payloads?: PayloadChecks
  /** Called with every mismatch, whether it refuses the event or not. */
  readonly onMismatch?: (event: AnyEvent, endpoint: string, mismatches: readonly PayloadMismatch[]) => void
}

/** Applies the rules of a request to an event that came by backfill: returns why it is refused, or undefined. */
export function payloadRefusals(
  options: PayloadRefusalOptions
): (event: AnyEvent, endpoint: string) => string | undefined {
  const { source, handlersOf, modeOf, payloads = createPayloadChecks(source), onMismatch } = options
  return (event, endpoint) => {
    const { mismatches, isRejected } = payloads.check(event, handlersOf(event.type), modeOf(endpoint))
    if (mismatches.length > 0) onMismatch?.(event, endpoint, mismatches)
    return isRejected ? describePayload(event.type, mismatches) : undefined
  }
}

export function createPayloadChecks(source: PayloadRefusalOptions['source']): PayloadChecks {
  return new PayloadChecks({
    knownTypes: listKnownTypes(source),
    inferredTypes: new Set(source.inferredTypes),
    schemaOf: (type) => source.schemaOf?.(type),
    payloadPath: source.payloadPath
  })
}

/** Returns every type that the source names, including those that are no longer sent. */
export function listKnownTypes({
  types,
  withdrawnTypes = []
}: Pick<Source, 'types' | 'withdrawnTypes'>): ReadonlySet<string> {
  return new Set([...types, ...withdrawnTypes])
}
