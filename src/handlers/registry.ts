import { RiverhookError } from '../model/errors.ts'
import { readDefinition } from './define-handler.ts'
import { completeHandler } from './handler-options.ts'
import type { Handler, HandlerFunction, HandlerOptions, Handlers } from './handler.ts'
import { matches } from '../model/pattern.ts'

export type * from './handler.ts'

/** How many event types the registry remembers the handlers of. The provider has some 150; the set is open. */
const rememberedTypes = 1_000
/** A longer type is looked up anew each time, so that what is remembered stays small whatever is sent. */
const longestRememberedType = 200

/**
 * Who is to be told: handlers under stable names, found by event type. Filled before the start, then sealed:
 * the inbox learns at the start which handlers exist, so a later one would miss events without a sign.
 */
export class Registry implements Handlers {
  readonly #byName = new Map<string, Handler>()
  /** By event type. Types come from outside, so it is emptied when it is full. */
  readonly #byType = new Map<string, readonly Handler[]>()
  #all: readonly Handler[] = []
  #sealed = false

  on(pattern: string, run: HandlerFunction): void
  on(pattern: string, options: HandlerOptions, run: HandlerFunction): void
  on(...given: readonly unknown[]): void {
    const { pattern, options, run } = readDefinition(given)
    this.#add(completeHandler(pattern, options, run))
  }

  /** From now on `on()` throws RIVERHOOK_HANDLERS_LATE. Called at the start. */
  seal(): void {
    this.#sealed = true
  }

  for(type: string): readonly Handler[] {
    const remembered = this.#byType.get(type)
    if (remembered !== undefined) return remembered
    const handlers = Object.freeze(this.#all.filter(({ pattern }) => matches(pattern, type)))
    if (type.length > longestRememberedType) return handlers
    if (this.#byType.size >= rememberedTypes) this.#byType.clear()
    this.#byType.set(type, handlers)
    return handlers
  }

  get(name: string): Handler | undefined {
    return this.#byName.get(name)
  }

  get all(): readonly Handler[] {
    return this.#all
  }

  #add(handler: Handler): void {
    if (this.#sealed) {
      throw new RiverhookError(
        'RIVERHOOK_HANDLERS_LATE',
        `Handler "${handler.name}" was registered after the start; register it before listen() or ready()`
      )
    }
    const known = this.#byName.get(handler.name)
    if (known !== undefined) throw clash(known, handler)
    this.#byName.set(handler.name, handler)
    this.#all = Object.freeze([...this.#all, handler])
    this.#byType.clear()
  }
}

function clash(known: Handler, added: Handler): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_HANDLERS_NAME_CLASH',
    `Two handlers are named "${added.name}", one for "${known.pattern}" and one for "${added.pattern}". ` +
      "Deliveries are stored under the name: give one of them its own, such as { name: 'to-erp' }"
  )
}
