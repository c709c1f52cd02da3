import {
  digitalRiver,
  type AnyEvent,
  type CustomEventType,
  type Event,
  type KnownEventType,
  type Source
} from '../index.ts'
import { optionRules } from '../programs.ts'
import { sampleEvent as digitalRiverEvent, type EventChoice, type SampleOptions } from './digital-river/sample-event.ts'
import { completeBody, eventOf } from './sample-request.ts'

const { checkAgainst, isObject, isText } = optionRules
const rules = { type: { ...isText, expected: 'an event type' }, choice: isObject, options: isObject }

/** The fields that are chosen of an event of any source; its `sample` gives the rest. */
export type AnyChoice = Readonly<Record<string, unknown>> & { readonly id?: string }

type OfType<E extends AnyEvent, Type extends string> = [Extract<E, { readonly type: Type }>] extends [never]
  ? E
  : Extract<E, { readonly type: Type }>

/** A type that the compiler does not know, or one of `eventType()`. A literal is none: most likely it is misspelt. */
type UnknownType<Type extends string> = Type extends CustomEventType ? Type : string extends Type ? Type : never

/**
 * Makes an event of Digital River in the form that it sends: complete, plausible, and valid by the schema of its type.
 * Or, after a source, a small valid event of that source, as handlers get it.
 * @param type any type; one that is not known with `eventType('x.y')`. Its object has only an id then
 * @param choice merged into the event, object by object. Lists are replaced; undefined removes a field
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for wrong arguments, and for a source without `sample`
 */
export function sampleEvent<const Type extends KnownEventType>(
  type: Type,
  choice?: EventChoice,
  options?: SampleOptions
): Event<Type>
export function sampleEvent<const Type extends string>(
  type: UnknownType<Type>,
  choice?: EventChoice,
  options?: SampleOptions
): Event
export function sampleEvent<E extends AnyEvent, const Type extends string>(
  source: Source<E>,
  type: Type,
  choice?: AnyChoice,
  options?: SampleOptions
): OfType<E, Type>
export function sampleEvent(...given: readonly unknown[]): AnyEvent {
  const [first, ...others] = given
  if (typeof first !== 'object' || first === null)
    return digitalRiverEvent(...(given as Parameters<typeof digitalRiverEvent>))
  return sampleOf(first as Source, ...(others as [type: string, choice?: AnyChoice, options?: SampleOptions]))
}

function sampleOf(source: Source, type: string, choice: AnyChoice = {}, options: SampleOptions = {}): AnyEvent {
  checkAgainst(rules, { type, choice, options }, 'sampleEvent', '', ['type'])
  if (source.name === digitalRiver().name) return digitalRiverEvent(type, choice as EventChoice, options)
  const { id, createdTime, liveMode } = choice as Partial<AnyEvent>
  const made = completeBody(source, choice, {
    type,
    id,
    liveMode,
    at: createdTime === undefined ? undefined : new Date(createdTime),
    seed: options.seed
  })
  const event = eventOf(source, made)
  if (event !== undefined) return event
  throw new TypeError(`sampleEvent: the source ${source.name} cannot read its own sample of ${type}`)
}
