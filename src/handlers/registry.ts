import { RiverhookError } from '../model/errors.ts'
import { checkSource, isDefinition, readDefinition } from './define-handler.ts'
import { completeHandler } from './handler-options.ts'
import type {
  Handler,
  HandlerDefinition,
  HandlerFunction,
  HandlerOptions,
  Handlers,
  Registrar,
  SourceHandlers,
  SourceRegistrar
} from './handler.ts'
import { matches } from '../model/pattern.ts'
import type { Source } from '../source/source.ts'

export type * from './handler.ts'

/** The most event types whose handlers are remembered. The provider has about 150, but types come from outside. */
const rememberedTypes = 1_000
/** In characters. A longer type is looked up each time, so that the memory of the registry is limited. */
const longestRememberedType = 200

/**
 * Holds handlers under stable names, found by source and event type. Filled before the start, then sealed: the inbox
 * gets the list of handlers at the start, so a later handler would silently miss events.
 */
export class Registry implements Handlers {
  readonly #defaultSource: string
  readonly #byName = new Map<string, Handler>()
  readonly #bySource = new Map<string, HandlersOfSource>()
  #all: readonly Handler[] = []
  #sealed = false

  /** @param defaultSource the name of the source of handlers that name none */
  constructor(defaultSource = 'default') {
    this.#defaultSource = defaultSource
  }

  /** Registers a handler: see `Registrar.on`. */
  on(definition: HandlerDefinition): void
  on(pattern: string, run: HandlerFunction): void
  on(pattern: string, options: HandlerOptions, run: HandlerFunction): void
  on(...given: readonly unknown[]): void {
    const [first] = given
    this.#register(
      given.length === 1 && isDefinition(first)
        ? readDefinition([...(first.source ? [first.source] : []), first.pattern, first.options, first.run])
        : readDefinition(given)
    )
  }

  /** The registrar of one source. */
  from(source: Source): { on(...given: readonly unknown[]): void } {
    checkSource(source)
    return {
      on: (...given) => {
        this.#register(readDefinition([source, ...given]))
      }
    }
  }

  /** The registry as users see it: typed by the default source's events. */
  registrar(): Registrar {
    return {
      on: this.on.bind(this),
      from: (source) => this.from(source) as SourceRegistrar<never> as never
    }
  }

  /** Makes later calls of `on()` throw RIVERHOOK_HANDLERS_LATE. Called at the start. */
  seal(): void {
    this.#sealed = true
  }

  of(source: string): SourceHandlers {
    return this.#of(source)
  }

  /** The default source's handlers for an event type. */
  for(type: string): readonly Handler[] {
    return this.#of(this.#defaultSource).for(type)
  }

  get(name: string): Handler | undefined {
    return this.#byName.get(name)
  }

  get all(): readonly Handler[] {
    return this.#all
  }

  #of(source: string): HandlersOfSource {
    const known = this.#bySource.get(source)
    if (known !== undefined) return known
    const made = new HandlersOfSource()
    this.#bySource.set(source, made)
    return made
  }

  #register({ source, pattern, options, run }: HandlerDefinition): void {
    const handler = completeHandler(source?.name ?? this.#defaultSource, pattern, options, run)
    if (this.#sealed) {
      throw new RiverhookError(
        'RIVERHOOK_HANDLERS_LATE',
        `Handler "${handler.name}" was registered after the start; register it before the start: listen(), ready() or start()`
      )
    }
    const known = this.#byName.get(handler.name)
    if (known !== undefined) throw clash(known, handler)
    this.#byName.set(handler.name, handler)
    this.#all = Object.freeze([...this.#all, handler])
    this.#of(handler.source).add(handler)
  }
}

/** The handlers of one source, found by event type. */
class HandlersOfSource implements SourceHandlers {
  all: readonly Handler[] = []
  /** By event type. Types come from outside, so the map is cleared when full. */
  readonly #byType = new Map<string, readonly Handler[]>()

  add(handler: Handler): void {
    this.all = Object.freeze([...this.all, handler])
    this.#byType.clear()
  }

  for(type: string): readonly Handler[] {
    const remembered = this.#byType.get(type)
    if (remembered !== undefined) return remembered
    const handlers = Object.freeze(this.all.filter(({ pattern }) => matches(pattern, type)))
    if (type.length > longestRememberedType) return handlers
    if (this.#byType.size >= rememberedTypes) this.#byType.clear()
    this.#byType.set(type, handlers)
    return handlers
  }
}

function clash(known: Handler, added: Handler): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_HANDLERS_NAME_CLASH',
    `Two handlers are named "${added.name}", one for "${known.pattern}" and one for "${added.pattern}". ` +
      "Deliveries are stored under the name: give one of them its own, such as { name: 'to-erp' }"
  )
}
