import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'

import { RiverhookError } from '../errors.ts'
import type { Event } from '../event.ts'
import type { Handler } from '../handlers/registry.ts'

/** What is done about a payload that is not as its schema says. */
export type PayloadMode = 'flag' | 'reject' | 'off'

/** One kind of disagreement in one event; never a value. */
export interface Disagreement {
  /** Such as `data.object.items[].sku`. */
  readonly path: string
  /** The keyword of the schema that did not hold, or `unknown_type`. */
  readonly rule: string
  /** Whose schema it is; empty for the provider's. */
  readonly handler: string
}

export interface PayloadVerdict {
  readonly disagreements: readonly Disagreement[]
  /** Some of them are a reason to refuse the event. */
  readonly isRejected: boolean
}

const agreed: PayloadVerdict = { disagreements: [], isRejected: false }
/** What a provider may change any day without saying so: a new value of an enum, another format of a text. Told, and never refused. */
const openRules = new Set(['enum', 'pattern'])
/** Schemas of a provider's types are compiled once. The set of types is open, and comes from outside. */
const mostTypes = 1_000

export interface PayloadOptions {
  readonly knownTypes: ReadonlySet<string>
  readonly schemaOf: (type: string) => object | undefined
}

/**
 * Compares payloads with what is known of them: the provider's schema of the event type, and the schema that a handler brings. Schemas
 * are compiled at their first event.
 */
export class PayloadChecks {
  readonly #options: PayloadOptions
  readonly #byType = new Map<string, ValidateFunction | undefined>()
  readonly #byHandler = new Map<string, ValidateFunction>()

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

  /** @param mode of the endpoint; a handler may have its own */
  check(event: Event, handlers: readonly Handler[], mode: PayloadMode): PayloadVerdict {
    const strictest = strictestOf(mode, handlers)
    const found: Disagreement[] = []
    let isRejected = false
    if (strictest !== 'off') {
      if (!this.#options.knownTypes.has(event.type)) found.push({ path: '', rule: 'unknown_type', handler: '' })
      const disagreements = disagreementsOf(this.#ofType(event.type), event, '')
      found.push(...disagreements)
      isRejected = strictest === 'reject' && disagreements.some(({ rule }) => !openRules.has(rule))
    }
    for (const handler of handlers) {
      const own = handler.validate ?? mode
      if (handler.schema === undefined || own === 'off') continue
      const disagreements = disagreementsOf(this.#ofHandler(handler.name, handler.schema), event, handler.name)
      found.push(...disagreements)
      isRejected ||= own === 'reject' && disagreements.length > 0
    }
    return found.length === 0 ? agreed : { disagreements: found, isRejected }
  }

  #ofType(type: string): ValidateFunction | undefined {
    if (this.#byType.has(type)) return this.#byType.get(type)
    const schema = this.#options.schemaOf(type)
    const compiled = schema === undefined ? undefined : compile(schema)
    if (this.#byType.size < mostTypes) this.#byType.set(type, compiled)
    return compiled
  }

  #ofHandler(name: string, schema: object): ValidateFunction {
    const known = this.#byHandler.get(name)
    if (known !== undefined) return known
    try {
      const compiled = compile(schema)
      this.#byHandler.set(name, compiled)
      return compiled
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `Handler "${name}": option "schema" is no JSON Schema: ${reason}`, { cause: error })
    }
  }
}

/** For the sender: which fields, and which rules; at most ten. */
export function describePayload(type: string, disagreements: readonly Disagreement[]): string {
  const named = disagreements.filter(({ rule }) => rule !== 'unknown_type').map(({ path, rule, handler }) => `${path} (${rule}${handler === '' ? '' : `, by handler ${handler}`})`)
  const more = named.length > 10 ? `, and ${named.length - 10} more` : ''
  return `The payload of ${type} is not as its schema says: ${named.slice(0, 10).join(', ')}${more}`
}

/** One handler that wants to refuse is enough: the provider is answered once for all. Off are all or none. */
function strictestOf(mode: PayloadMode, handlers: readonly Handler[]): PayloadMode {
  const modes = handlers.map(({ validate }) => validate ?? mode)
  if (modes.length === 0) return mode
  return modes.includes('reject') ? 'reject' : modes.includes('flag') ? 'flag' : 'off'
}

// Not strict: a merchant's schema may come from another tool. All errors: each kind is a disagreement of its own.
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })

function compile(schema: object): ValidateFunction {
  return ajv.compile(schema)
}

function disagreementsOf(holds: ValidateFunction | undefined, event: Event, handler: string): readonly Disagreement[] {
  if (holds === undefined || holds(event.data.object)) return []
  const kinds = new Map<string, Disagreement>()
  for (const error of holds.errors ?? []) {
    // An anyOf reports each of its branches, and then itself: its own report is the one.
    if (error.schemaPath.includes('/anyOf/')) continue
    const kind = { path: pathOf(error), rule: error.keyword, handler }
    kinds.set(`${kind.path} ${kind.rule}`, kind)
  }
  return [...kinds.values()]
}

/** Every index of a list is one place, and keys that are data (of a map) stay in: the schemas name their fields. */
function pathOf({ instancePath, keyword, params }: ErrorObject): string {
  const steps = instancePath.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const missing = keyword === 'required' ? [(params as { missingProperty: string }).missingProperty] : []
  return [...steps, ...missing].reduce((path, step) => (/^\d+$/.test(step) ? `${path}[]` : `${path}.${step}`), 'data.object')
}
