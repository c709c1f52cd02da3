import {
  catalogue,
  RiverhookError,
  schemaOf,
  type CatalogueEntry,
  type Event,
  type KnownEventType
} from '../../index.ts'
import { optionRules } from '../../programs.ts'
import { createDice, type Dice } from '../dice.ts'
import { make } from './samples/make.ts'
import { merge } from './samples/merge.ts'
import { before, createScene, type Scene } from './samples/scene.ts'

/**
 * The chosen fields of an event; the rest is generated. Not checked against the schema of the type: an event may be
 * wrong on purpose.
 */
export type EventChoice = Partial<Omit<Event, 'data' | 'type'>> & {
  readonly data?: {
    readonly object?: Readonly<Record<string, unknown>>
    readonly previousAttributes?: Readonly<Record<string, unknown>>
  }
}

export interface SampleOptions {
  /**
   * The same seed gives the same event of a type, including its id and time. Events of different types with the same
   * seed have different ids, and are about the same order, customer, charge ... Without a seed every event is new.
   */
  readonly seed?: number | string | undefined
}

const { checkAgainst, isText } = optionRules
const argumentRules = {
  type: { ...isText, expected: 'an event type such as order.accepted' },
  choice: {
    expected: "an object with fields of the event, such as { data: { object: { id: '1' } } }",
    accepts: isFields
  },
  options: { expected: 'an object such as { seed: 1 }', accepts: isFields }
}
const seedRules = {
  seed: {
    expected: 'a text or a number',
    accepts: (value: unknown) => typeof value === 'string' || Number.isFinite(value)
  }
}
/** Names that are easily confused with fields of an event. */
const misplaced: Readonly<Record<string, string>> = {
  seed: 'pass it as the third argument: sampleEvent(type, {}, { seed })',
  object: 'the object of an event is in its data: { data: { object } }'
}

const entries = new Map<string, CatalogueEntry>(Object.entries(catalogue))
/** From here the events of a seed are spread over a year. */
const seededFrom = Date.UTC(2026, 0, 1)
const minutesOfAYear = 365 * 24 * 60

/**
 * Generates an event in the form that Digital River sends: complete, plausible, and valid by the schema of its type.
 * @param type any type. For unknown types, and those that the catalogue calls `unknown`, the object has only an id
 * @param choice merged into the generated event, object by object. Lists are replaced; undefined removes a field
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for wrong arguments
 */
export function sampleEvent<const Type extends KnownEventType>(
  type: Type,
  choice?: EventChoice,
  options?: SampleOptions
): Event<Type>
export function sampleEvent(type: string, choice?: EventChoice, options?: SampleOptions): Event
export function sampleEvent(type: string, choice: EventChoice = {}, options: SampleOptions = {}): Event {
  checkAgainst(argumentRules, { type, choice, options }, 'sampleEvent', '', ['type'])
  checkAgainst(seedRules, options, 'sampleEvent')
  const wrong = Object.keys(choice).find((name) => Object.hasOwn(misplaced, name))
  if (wrong !== undefined) {
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `sampleEvent: "${wrong}" is not a field of an event; ${misplaced[wrong] ?? ''}`
    )
  }
  const { seed } = options
  const dice = createDice(seed)
  // Include the type: events of different types with one seed are about one order, but have different ids.
  const id = createDice(seed === undefined ? undefined : `${seed}/${type}`).uuid()
  const seededAt = seededTime(dice)
  const createdTime = choice.createdTime ?? (seed === undefined ? new Date() : seededAt).toISOString()
  const at = new Date(createdTime)
  // Keep a time that is wrong on purpose; the object is generated for the present.
  const scene = createScene(dice, type, Number.isNaN(at.getTime()) ? new Date() : at, choice.liveMode ?? false)
  const made = {
    id,
    type,
    data: dataOf(type, scene),
    liveMode: scene.liveMode,
    createdTime,
    digitalriverVersion: '2021-12-13'
  }
  return merge(made, { ...choice }) as unknown as Event
}

function isFields(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function dataOf(type: string, scene: Scene): Record<string, unknown> {
  const { resource, mayBeEmpty, basis }: Partial<CatalogueEntry> = entries.get(type) ?? {}
  const schema = schemaOf(type)
  if (resource === undefined || schema === undefined) return { object: { id: scene.dice.uuid() } }
  const object = make(schema, resource, '', scene)
  // The only known sample of a deletion is empty, with the former attributes beside it.
  if (mayBeEmpty === true && basis === 'sample') return { object: {}, previousAttributes: object }
  return type.endsWith('.updated') ? { object, previousAttributes: previousOf(type, scene) } : { object }
}

/**
 * The changed attributes: a plausible change, and for a subscription the one in the provider's sample, from draft to
 * active.
 */
function previousOf(type: string, scene: Scene): Record<string, unknown> {
  const updatedTime = before(scene, 30)
  if (type !== 'subscription.updated') return { updatedTime }
  const unset = [
    'billingAgreementId',
    'contractBindingUntil',
    'currentPeriodEndDate',
    'customerId',
    'nextInvoiceDate',
    'nextReminderDate',
    'sourceId'
  ]
  return {
    ...Object.fromEntries(unset.map((attribute) => [attribute, null])),
    state: 'draft',
    stateTransitions: { activated: null },
    updatedTime
  }
}

function seededTime(dice: Dice): Date {
  return new Date(seededFrom + dice.whole(0, minutesOfAYear) * 60_000)
}
