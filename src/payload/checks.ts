import { Ajv } from 'ajv'

import { errorText } from '../model/error-text.ts'
import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import type { Handler } from '../handlers/registry.ts'
import { describeValue, isPlainObject } from '../model/option-rules.ts'
import { visible } from '../model/visible.ts'
import { disagreementsOf, rulesOf, type Disagreement, type Rules } from './mismatches.ts'
import { compileOwnSchema } from './own-schema.ts'
import { ignoreRejection } from '../source/check-answer.ts'
import { defaultPayloadPath, payloadIn } from './payload-in.ts'
import { withLinearUniqueItems } from './unique-items.ts'

/** What is done about a payload that is not as its schema says. */
export type PayloadMode = 'flag' | 'reject' | 'off'

export interface PayloadVerdict {
  readonly disagreements: readonly Disagreement[]
  /** Some of them are a reason to refuse the event. */
  readonly isRejected: boolean
}

const agreed: PayloadVerdict = { disagreements: [], isRejected: false }
/**
 * What a provider may change any day without saying so: a new value of an enum, another format of a text. Told, and
 * never refused.
 */
const openRules = new Set(['enum', 'pattern'])
/**
 * What the provider says of a type is asked for once. The set of types is open, and comes from outside: it is emptied
 * when it is full.
 */
const mostTypes = 1_000

export interface PayloadOptions {
  /** Empty: the provider names none, and none is unknown. */
  readonly knownTypes: ReadonlySet<string>
  /** Types whose schema is a guess: it never refuses an event. Default: none. */
  readonly inferredTypes?: ReadonlySet<string>
  readonly schemaOf: (type: string) => object | undefined
  /** Where the payload is in an event. Default: `data.object`. */
  readonly payloadPath?: readonly string[] | undefined
}

/**
 * Compares payloads with what is known of them: the provider's schema of the event type, and the schema that a
 * handler brings. Schemas are compiled at their first event.
 */
export class PayloadChecks {
  readonly #options: PayloadOptions
  readonly #byType = new Map<string, Rules | undefined>()
  readonly #byHandler = new Map<string, Rules>()

  constructor(options: PayloadOptions) {
    this.#options = options
  }

  /**
   * Compiles the handlers' own schemas, so that a wrong one stops the start.
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID with the handler's name
   */
  prepare(handlers: readonly Handler[]): void {
    for (const { name, schema } of handlers) if (schema !== undefined) this.#ofHandler(name, schema)
  }

  /**
   * A type that is in no catalogue is told in every mode: to be new is not a fault of its payload. Not so where a
   * handler is for that very type: it was said to be meant, by `eventType()`, so there is nothing to look into.
   * @param mode of the endpoint; a handler may have its own
   * @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT when the source's schema of the type cannot be used
   */
  check(event: AnyEvent, handlers: readonly Handler[], mode: PayloadMode): PayloadVerdict {
    const strictest = strictestOf(mode, handlers)
    const found: Disagreement[] = this.#isKnown(event.type, handlers)
      ? []
      : [{ path: '', rule: 'unknown_type', handler: '' }]
    let isRejected = false
    const path = this.#options.payloadPath ?? defaultPayloadPath
    const payload = payloadIn(event, path)
    const rules = strictest === 'off' ? undefined : this.#ofType(event.type)
    if (rules !== undefined) {
      const disagreements = disagreementsOf(rules, payload, '', path)
      found.push(...disagreements)
      const isCertain = this.#options.inferredTypes?.has(event.type) !== true
      isRejected = strictest === 'reject' && isCertain && disagreements.some(({ rule }) => !openRules.has(rule))
    }
    for (const handler of handlers) {
      const own = handler.validate ?? mode
      if (handler.schema === undefined || own === 'off') continue
      const disagreements = disagreementsOf(this.#ofHandler(handler.name, handler.schema), payload, handler.name, path)
      found.push(...disagreements)
      isRejected ||= own === 'reject' && disagreements.length > 0
    }
    return found.length === 0 ? agreed : { disagreements: found, isRejected }
  }

  #isKnown(type: string, handlers: readonly Handler[]): boolean {
    const { knownTypes } = this.#options
    return knownTypes.size === 0 || knownTypes.has(type) || handlers.some(({ pattern }) => pattern === type)
  }

  #ofType(type: string): Rules | undefined {
    if (this.#byType.has(type)) return this.#byType.get(type)
    if (this.#byType.size >= mostTypes) this.#byType.clear()
    const rules = this.#compile(type)
    this.#byType.set(type, rules)
    return rules
  }

  /**
   * @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT when the source throws, or gives something that is no JSON Schema
   */
  #compile(type: string): Rules | undefined {
    try {
      const schema: unknown = this.#options.schemaOf(type)
      if (schema === undefined) return undefined
      if (isPlainObject(schema)) return providedRules(schema)
      ignoreRejection(schema)
      throw new TypeError(`it gave ${describeValue(schema)}`)
    } catch (error) {
      throw new RiverhookError(
        'RIVERHOOK_RECEIVE_FAULT',
        `schemaOf() of the source must give a JSON Schema or undefined for ${visible(type)}: ${errorText(error)}; ` +
          "until it does, set validate to 'off' (RIVERHOOK_VALIDATE=off)",
        { cause: error }
      )
    }
  }

  #ofHandler(name: string, schema: object): Rules {
    const known = this.#byHandler.get(name)
    if (known !== undefined) return known
    try {
      const rules = rulesOf(schema, compileOwnSchema)
      this.#byHandler.set(name, rules)
      return rules
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new RiverhookError(
        'RIVERHOOK_OPTIONS_INVALID',
        `Handler "${name}": option "schema" is no JSON Schema that can be checked: ${reason}`,
        { cause: error }
      )
    }
  }
}

/**
 * For the provider's schemas, which describe and do not command: formats are not looked at. The first event of a type
 * waits for its schema: they are no merchant's, so they are not held to the schema of schemas. ajv writes no
 * messages, as only path and rule are read, and does not optimise its code: that takes longer than the rest and gains
 * nothing over V8.
 */
const settings = {
  strict: false,
  validateFormats: false,
  addUsedSchema: false,
  meta: false,
  validateSchema: false,
  messages: false,
  code: { optimize: false }
} as const
const untilFirst = withLinearUniqueItems(new Ajv(settings))
/** Made when a payload first disagrees. */
let forAll: Ajv | undefined
/**
 * Of the whole process: each test of a merchant has a receiver of its own, and the schemas are the same. They go when
 * their provider goes.
 */
const provided = new WeakMap<object, Rules>()

function providedRules(schema: object): Rules {
  const known = provided.get(schema)
  if (known !== undefined) return known
  const rules = rulesOf(schema, (each, allErrors) => {
    const ajv = allErrors ? (forAll ??= withLinearUniqueItems(new Ajv({ ...settings, allErrors }))) : untilFirst
    const compiled = ajv.compile(each)
    // It would keep every schema that it has compiled.
    ajv.removeSchema(each)
    return compiled
  })
  provided.set(schema, rules)
  return rules
}

/** For the sender: which fields, and which rules; at most ten. */
export function describePayload(type: string, disagreements: readonly Disagreement[]): string {
  const named = disagreements
    .filter(({ rule }) => rule !== 'unknown_type')
    .map(({ path, rule, handler }) => `${path} (${rule}${handler === '' ? '' : `, by handler ${handler}`})`)
  const more = named.length > 10 ? `, and ${named.length - 10} more` : ''
  return `The payload of ${type} is not as its schema says: ${named.slice(0, 10).join(', ')}${more}`
}

/** One handler that wants to refuse is enough: the provider is answered once for all. Off are all or none. */
function strictestOf(mode: PayloadMode, handlers: readonly Handler[]): PayloadMode {
  const modes = handlers.map(({ validate }) => validate ?? mode)
  if (modes.length === 0) return mode
  return modes.includes('reject') ? 'reject' : modes.includes('flag') ? 'flag' : 'off'
}
