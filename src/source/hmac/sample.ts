import { isPlainObject } from '../../model/option-rules.ts'
import type { AnyEvent } from '../../model/event.ts'
import type { SampleInput } from '../source.ts'
import type { HmacSourceOptions, JsonObject, Place } from './hmac-options.ts'
import { isEventTheBody } from './read.ts'

type Description<E extends AnyEvent> = Pick<
  HmacSourceOptions<E>,
  'id' | 'type' | 'types' | 'createdTime' | 'liveMode' | 'payloadPath' | 'split' | 'sample'
>

/**
 * Returns a function that makes the body of a small valid event: what `sample` of the description gives, and the fields
 * that the description names. Undefined if only a function knows where the id or the type is, and for batches.
 */
export function sampler<E extends AnyEvent>(description: Description<E>): ((input: SampleInput) => object) | undefined {
  const { id, type, types = [], createdTime, liveMode, split, sample } = description
  // The fields are in the parts of a batch.
  if (split !== undefined) return sample
  if (sample === undefined && (typeof id === 'function' || typeof type === 'function')) return undefined
  const payload = payloadIn(description)
  return (input) => {
    const values: readonly (readonly [path: readonly string[], value: unknown])[] = [
      [fieldOf(id), input.id],
      [fieldOf(type), input.type ?? types[0] ?? 'test'],
      [fieldOf(createdTime), input.at.toISOString()],
      [fieldOf(liveMode), input.liveMode],
      [payload, {}],
      // The id is a digest of the body, so two samples must differ.
      [id === 'digest' ? ['sample'] : [], input.id]
    ]
    const given = { ...sample?.(input) } as JsonObject
    return values.reduce((body, [path, value]) => withDefault(body, path, value), given)
  }
}

/** The path of the payload in the body. */
function payloadIn<E extends AnyEvent>({ id, type, payloadPath = [] }: Description<E>): readonly string[] {
  if (isEventTheBody({ id, type })) return payloadPath
  return payloadPath[0] === 'payload' ? payloadPath.slice(1) : []
}

function fieldOf(place: Place | 'digest' | undefined): readonly string[] {
  return typeof place === 'object' && 'field' in place ? place.field.split('.') : []
}

/** A copy with the value at the path, unless something is there. */
function withDefault(body: JsonObject, [key, ...rest]: readonly string[], value: unknown): JsonObject {
  if (key === undefined) return body
  const below = body[key]
  if (rest.length === 0) return below === undefined ? { ...body, [key]: value } : body
  if (below !== undefined && !isPlainObject(below)) return body
  return { ...body, [key]: withDefault(below ?? {}, rest, value) }
}
