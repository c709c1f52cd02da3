import type { AnyEvent } from '../model/event.ts'
import type { Handler } from '../handlers/registry.ts'
import type { Disagreement } from './mismatches.ts'
import { describePayload, PayloadChecks, type PayloadMode } from './checks.ts'
import type { Source } from '../source/source.ts'

export interface PayloadRefusalOptions {
  readonly source: Pick<Source, 'types' | 'withdrawnTypes' | 'schemaOf' | 'inferredTypes' | 'payloadPath'>
  /** Who wants the type; their own `validate` and `schema` count. */
  readonly handlersOf: (type: string) => readonly Handler[]
  /** The `validate` of an endpoint. */
  readonly modeOf: (endpoint: string) => PayloadMode
  /** The checks that the routes use, where there are some. */
  readonly payloads?: PayloadChecks
  /** Told of what does not agree, whether it is refused or not. */
  readonly note?: (event: AnyEvent, endpoint: string, disagreements: readonly Disagreement[]) => void
}

/** For an event that came by backfill: says why it is refused by the rules that a request would meet, or undefined. */
export function payloadRefusals(
  options: PayloadRefusalOptions
): (event: AnyEvent, endpoint: string) => string | undefined {
  const { source, handlersOf, modeOf, payloads = payloadChecksOf(source), note } = options
  return (event, endpoint) => {
    const { disagreements, isRejected } = payloads.check(event, handlersOf(event.type), modeOf(endpoint))
    if (disagreements.length > 0) note?.(event, endpoint, disagreements)
    return isRejected ? describePayload(event.type, disagreements) : undefined
  }
}

export function payloadChecksOf(source: PayloadRefusalOptions['source']): PayloadChecks {
  return new PayloadChecks({
    knownTypes: knownTypesOf(source),
    inferredTypes: new Set(source.inferredTypes),
    schemaOf: (type) => source.schemaOf?.(type),
    payloadPath: source.payloadPath
  })
}

/** Every type that the source names, also those that are no longer sent. */
export function knownTypesOf({
  types,
  withdrawnTypes = []
}: Pick<Source, 'types' | 'withdrawnTypes'>): ReadonlySet<string> {
  return new Set([...types, ...withdrawnTypes])
}
