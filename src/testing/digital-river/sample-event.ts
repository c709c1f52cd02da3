import {
  catalogue,
  optionRules,
  RiverhookError,
  schemaOf,
  type CatalogueEntry,
  type Event,
  type KnownEventType
} from '../../index.ts'
import { createDice, type Dice } from '../dice.ts'
import { make } from './samples/make.ts'
import { merge } from './samples/merge.ts'
import { before, createScene, type Scene } from './samples/scene.ts'

/**
 * What of an Event is chosen; the rest is made up. Not held to the schema of its type: an event may be wrong on
 * purpose.
 */
export type EventChoice = Partial<Omit<Event, 'data' | 'type'>> & {
  readonly data?: {
    readonly object?: Readonly<Record<string, unknown>>
    readonly previousAttributes?: Readonly<Record<string, unknown>>
  }
}

export interface SampleOptions {
  /**
   * The same seed gives the same event of a type, its id and time included. Events of several types and one seed have
   * ids of their own, and are about the same order, customer, charge ... Without a seed every event is new.
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
/** They are no fields of an event, but easily put where one is chosen. */
const misplaced: Readonly<Record<string, string>> = {
  seed: 'give it as the third argument: sampleEvent(type, {}, { seed })',
  object: 'the object of an event is in its data: { data: { object } }'
}

const entries = new Map<string, CatalogueEntry>(Object.entries(catalogue))
/** From here the events of a seed are spread over a year. */
const seededFrom = Date.UTC(2026, 0, 1)
const minutesOfAYear = 365 * 24 * 60

/**
 * An Event in the shape that Digital River sends, of our own making: complete, plausible, and valid by the schema of
 * its type.
 * @param type any type. What nobody knows, as in the catalogue `unknown`, has an object with an id
 * @param choice merged over what is made, object by object. Lists are replaced; undefined takes a field away
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for arguments that are none
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
      `sampleEvent: "${wrong}" is no field of an event; ${misplaced[wrong] ?? ''}`
    )
  }
  const { seed } = options
  const dice = createDice(seed)
  // Of the type, too: events of several types and one seed are about one order, and no duplicates of each other.
  const id = createDice(seed === undefined ? undefined : `${seed}/${type}`).uuid()
  const seededAt = seededTime(dice)
  const createdTime = choice.createdTime ?? (seed === undefined ? new Date() : seededAt).toISOString()
  const at = new Date(createdTime)
  // A time that is wrong on purpose is carried as it is; the object is made as of now.
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
  // The one deletion that was seen came empty, with what it had been beside it.
  if (mayBeEmpty === true && basis === 'sample') return { object: {}, previousAttributes: object }
  return type.endsWith('.updated') ? { object, previousAttributes: previousOf(type, scene) } : { object }
}

/**
 * A change of the resource itself, but for the one of which there is a sample: a subscription that was a draft, and
 * is active.
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
