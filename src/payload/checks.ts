import type { Ajv } from 'ajv'

import { errorText } from '../model/error-text.ts'
import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import type { Handler } from '../handlers/registry.ts'
import { describeValue, isPlainObject } from '../model/option-rules.ts'
import { visible } from '../model/visible.ts'
import { findMismatches, compileRules, type PayloadMismatch, type Rules } from './mismatches.ts'
import { compileOwnSchema } from './own-schema.ts'
import { newAjv } from '../model/new-ajv.ts'
import { ignoreRejection } from '../model/not-begun.ts'
import { defaultPayloadPath, payloadIn } from './payload-in.ts'
import { withLinearUniqueItems } from './unique-items.ts'

/** How to treat a payload that does not match its schema. */
export type PayloadMode = 'flag' | 'reject' | 'off'

export interface PayloadVerdict {
  readonly mismatches: readonly PayloadMismatch[]
  /** At least one mismatch is a reason to refuse the event. */
  readonly isRejected: boolean
}

const noMismatch: PayloadVerdict = { mismatches: [], isRejected: false }
/** Keywords that only report and never refuse: a provider may add an enum value or change a text format at any time. */
const openRules = new Set(['enum', 'pattern'])
/**
 * The most event types whose compiled schema is remembered. Types come from outside, so the map is cleared when full.
 */
const mostTypes = 1_000

export interface PayloadOptions {
  /** Empty if the provider names no types; then no type counts as unknown. */
  readonly knownTypes: ReadonlySet<string>
  /** Types whose schema is a guess, so it never refuses an event. Default: none. */
  readonly inferredTypes?: ReadonlySet<string>
  readonly schemaOf: (type: string) => object | undefined
  /** Where an event holds its payload. Default: `data.object`. */
  readonly payloadPath?: readonly string[] | undefined
}

/**
 * Compares payloads with the provider's schema of the event type and with the handler's schema, if it has one. A
 * provider's schema is compiled once: ahead (see compile-ahead.ts), or at the first event of its type.
 */
export class PayloadChecks {
  readonly #options: PayloadOptions
  readonly #byType = new Map<string, Rules | undefined>()
  readonly #byHandler = new Map<string, Rules>()

  constructor(options: PayloadOptions) {
    this.#options = options
  }

  /**
   * Compiles the handlers' schemas, so that a wrong one prevents the start.
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID with the handler's name
   */
  prepare(handlers: readonly Handler[]): void {
    for (const { name, schema } of handlers) if (schema !== undefined) this.#handlerRules(name, schema)
  }

  /** Compiles the provider's schema of a type, if its events are checked. An error is reported by the first event. */
  compileAhead(type: string, handlers: readonly Handler[], mode: PayloadMode): void {
    if (strictestMode(mode, handlers) === 'off') return
    try {
      this.#typeRules(type)
    } catch {
      // The source may be repaired before an event of the type comes.
    }
  }

  /**
   * Finds the mismatches of an event, and whether to refuse it. Unknown types are reported in every mode, unless a
   * handler names the type through `eventType()`.
   * @param mode the mode of the endpoint; a handler may have its own
   * @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT if the source's schema of the type cannot be used
   */
  check(event: AnyEvent, handlers: readonly Handler[], mode: PayloadMode): PayloadVerdict {
    const strictest = strictestMode(mode, handlers)
    const found: PayloadMismatch[] = this.#isKnown(event.type, handlers)
      ? []
      : [{ path: '', rule: 'unknown_type', handler: '' }]
    let isRejected = false
    const path = this.#options.payloadPath ?? defaultPayloadPath
    const payload = payloadIn(event, path)
    const rules = strictest === 'off' ? undefined : this.#typeRules(event.type)
    if (rules !== undefined) {
      const mismatches = findMismatches(rules, payload, '', path)
      found.push(...mismatches)
      const isCertain = this.#options.inferredTypes?.has(event.type) !== true
      isRejected = strictest === 'reject' && isCertain && mismatches.some(({ rule }) => !openRules.has(rule))
    }
    for (const handler of handlers) {
      const own = handler.validate ?? mode
      if (handler.schema === undefined || own === 'off') continue
      const mismatches = findMismatches(this.#handlerRules(handler.name, handler.schema), payload, handler.name, path)
      found.push(...mismatches)
      isRejected ||= own === 'reject' && mismatches.length > 0
    }
    return found.length === 0 ? noMismatch : { mismatches: found, isRejected }
  }

  #isKnown(type: string, handlers: readonly Handler[]): boolean {
    const { knownTypes } = this.#options
    return knownTypes.size === 0 || knownTypes.has(type) || handlers.some(({ pattern }) => pattern === type)
  }

  #typeRules(type: string): Rules | undefined {
    if (this.#byType.has(type)) return this.#byType.get(type)
    if (this.#byType.size >= mostTypes) this.#byType.clear()
    const rules = this.#compile(type)
    this.#byType.set(type, rules)
    return rules
  }

  /** @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT if the source throws or does not return a JSON Schema */
  #compile(type: string): Rules | undefined {
    try {
      const schema: unknown = this.#options.schemaOf(type)
      if (schema === undefined) return undefined
      if (isPlainObject(schema)) return providedRules(schema)
      ignoreRejection(schema)
      throw new TypeError(`it returned ${describeValue(schema)}`)
    } catch (error) {
      throw new RiverhookError(
        'RIVERHOOK_RECEIVE_FAULT',
        `schemaOf() of the source must return a JSON Schema or undefined for ${visible(type)}: ${errorText(error)}; ` +
          "until it does, set validate to 'off' (RIVERHOOK_VALIDATE=off)",
        { cause: error }
      )
    }
  }

  #handlerRules(name: string, schema: object): Rules {
    const known = this.#byHandler.get(name)
    if (known !== undefined) return known
    try {
      const rules = compileRules(schema, compileOwnSchema)
      this.#byHandler.set(name, rules)
      return rules
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new RiverhookError(
        'RIVERHOOK_OPTIONS_INVALID',
        `Handler "${name}": option "schema" is not a JSON Schema that can be checked: ${reason}`,
        { cause: error }
      )
    }
  }
}

/**
 * Settings for the provider's schemas: formats ignored (they are hints), no check against the meta-schema (the first
 * event of a type waits for the compilation), no error messages (only path and keyword are used), and code not
 * optimised (V8 does it as well, in less time).
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
/** Created for the first schema. */
let firstErrorAjv: Ajv | undefined
/** Created at the first mismatch. */
let allErrorsAjv: Ajv | undefined
/**
 * Shared by the whole process, because each receiver of a test suite would compile the same schemas again. Entries are
 * freed together with their provider.
 */
const providedCache = new WeakMap<object, Rules>()

function providedRules(schema: object): Rules {
  const known = providedCache.get(schema)
  if (known !== undefined) return known
  const rules = compileRules(schema, (each, allErrors) => {
    const ajv = allErrors
      ? (allErrorsAjv ??= withLinearUniqueItems(newAjv({ ...settings, allErrors })))
      : (firstErrorAjv ??= withLinearUniqueItems(newAjv(settings)))
    const compiled = ajv.compile(each)
    // Otherwise ajv keeps every schema that it has compiled.
    ajv.removeSchema(each)
    return compiled
  })
  providedCache.set(schema, rules)
  return rules
}

/** Describes the mismatches for the sender: fields and keywords, at most ten. */
export function describePayload(type: string, mismatches: readonly PayloadMismatch[]): string {
  const named = mismatches
    .filter(({ rule }) => rule !== 'unknown_type')
    .map(({ path, rule, handler }) => `${path} (${rule}${handler === '' ? '' : `, by handler ${handler}`})`)
  const more = named.length > 10 ? `, and ${named.length - 10} more` : ''
  return `The payload of ${type} does not match its schema: ${named.slice(0, 10).join(', ')}${more}`
}

/** `reject` if any handler asks for it, because the provider gets one answer for all handlers. */
function strictestMode(mode: PayloadMode, handlers: readonly Handler[]): PayloadMode {
  const modes = handlers.map(({ validate }) => validate ?? mode)
  if (modes.length === 0) return mode
  return modes.includes('reject') ? 'reject' : modes.includes('flag') ? 'flag' : 'off'
}
