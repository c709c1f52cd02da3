import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import type { Hide } from '../model/hidden-values.ts'
import type { Log } from '../model/log.ts'
import type { SearchKeys } from '../model/search-keys.ts'
import type { Handler, Handlers, SourceHandlers } from '../handlers/registry.ts'
import { checkTypes } from '../handlers/event-type.ts'
import type { HandlerRecord, StoredEvent } from '../inbox/inbox.ts'
import type { PayloadChecks } from '../payload/checks.ts'
import { listKnownTypes, createPayloadChecks } from '../payload/refusals.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import { Redaction } from '../payload/redaction.ts'
import { readEvent } from '../receive/read-event.ts'
import type { Reading, Source } from '../source/source.ts'
import { keyReader, sourceKeys } from './about.ts'

/** A source of the endpoints, with its handlers and payload checks. */
export interface SourceInUse {
  readonly source: Source
  readonly handlers: SourceHandlers
  readonly payloads: PayloadChecks
  /** Finds the search keys of an event. Never throws. */
  readonly keysOf: (event: AnyEvent) => SearchKeys
  /** Hides the personal data of its events. */
  readonly redaction: Redaction
  /** The same for a request that may not be an event: also at the usual names, anywhere in the body. */
  readonly wideRedaction: Redaction
}

export interface SourcesOptions {
  readonly handlers: Handlers
  /** The paths of the option `search.keys`. */
  readonly searchPaths: readonly string[]
  /** The paths of the option `redact`. */
  readonly redactPaths: readonly string[]
  readonly log: Log
}

/** The fields of a stored request that are needed to read its event again. */
export type StoredRequest = Pick<StoredEvent, 'source' | 'headers' | 'body'>

const everything = new Redaction(['**'])

/** The sources of a receiver's endpoints, by name. Each event is stored with the name of its source. */
export class Sources {
  readonly #byName = new Map<string, SourceInUse>()
  /** By the body: an error has several texts. */
  readonly #hiders = new WeakMap<Uint8Array, Hide>()

  /**
   * @param sources one for each endpoint
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for two sources of one name
   */
  constructor(sources: readonly Source[], { handlers, searchPaths, redactPaths, log }: SourcesOptions) {
    for (const source of sources) {
      const known = this.#byName.get(source.name)
      this.#byName.set(
        source.name,
        known ?? {
          source,
          handlers: handlers.of(source.name),
          payloads: createPayloadChecks(source),
          keysOf: keyReader(sourceKeys(source, log), searchPaths),
          redaction: new Redaction([...(source.redact ?? usualPersonalPaths), ...redactPaths]),
          wideRedaction: new Redaction([...(source.redact ?? []), ...usualPersonalPaths, ...redactPaths])
        }
      )
    }
  }

  get all(): readonly SourceInUse[] {
    return [...this.#byName.values()]
  }

  /** @throws {TypeError} for a source that no endpoint has */
  get(name: string): SourceInUse {
    const found = this.#byName.get(name)
    if (found === undefined) throw new TypeError(`No endpoint has the source ${name}`)
    return found
  }

  /** Reads the event in a stored request again, with the source that received it. */
  read({ source: name, headers, body }: StoredRequest): Reading {
    const found = this.#byName.get(name)
    if (found !== undefined) return readEvent(found.source, { headers, body })
    const message =
      `It came by the source ${name}, which no endpoint here has. Give an endpoint that source (in a script the option ` +
      'endpoints, for the command line riverhook.config.ts), or call app.riverhook.replay() or app.riverhook.retryQuarantined() in your service'
    return { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE', message }
  }

  /**
   * Finds the search keys of the event in a stored request. Undefined if it cannot be read any more, so that its keys
   * are not known.
   */
  readKeys(stored: StoredRequest): SearchKeys | undefined {
    const reading = this.read(stored)
    return reading.ok ? this.get(stored.source).keysOf(reading.event) : undefined
  }

  /** Returns a text about a stored event, such as an error, without the personal data of the event. Never throws. */
  redact(text: string, { source, body }: StoredRequest): string {
    const known = this.#hiders.get(body)
    if (known !== undefined) return known(text)
    const hide = this.redactionOf(source).hiderOf(body)
    this.#hiders.set(body, hide)
    return hide(text)
  }

  /**
   * Finds the redaction for the events of a source. Of one that no endpoint has, every value is hidden: only the source
   * knows where its personal data is.
   */
  redactionOf(source: string): Redaction {
    return this.#byName.get(source)?.redaction ?? everything
  }

  /** The same for a request of a source that may not be an event. */
  wideRedactionOf(source: string): Redaction {
    return this.#byName.get(source)?.wideRedaction ?? everything
  }

  /**
   * Reads an event that was valid when it arrived. If the rules have changed since, its delivery fails with the reason.
   * @throws {RiverhookError} with the code and the message of the reading
   */
  revive(stored: StoredRequest): AnyEvent {
    const reading = this.read(stored)
    if (reading.ok) return reading.event
    throw new RiverhookError(reading.code, reading.message)
  }

  /**
   * Refuses handlers that would never run, and compiles the schemas of the others.
   * @param records the handlers of a server beside, which may have endpoints of more sources
   * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN_SOURCE, RIVERHOOK_HANDLERS_UNKNOWN_TYPE,
   * RIVERHOOK_OPTIONS_INVALID
   */
  checkHandlers(all: readonly Handler[], records: readonly HandlerRecord[] = []): void {
    const isServed = (source: string): boolean =>
      this.#byName.has(source) || records.some((record) => record.source === source)
    const lost = all.find(({ source }) => !isServed(source))
    if (lost !== undefined) throw withoutSource(lost, [...this.#byName.keys()])
    for (const { source, handlers, payloads } of this.all) {
      checkTypes(handlers.all, listKnownTypes(source))
      payloads.prepare(handlers.all)
    }
  }
}

function withoutSource({ name, source }: Handler, known: readonly string[]): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_HANDLERS_UNKNOWN_SOURCE',
    `Handler "${name}" is for the source ${source}, which no endpoint has, so it would never run. The endpoints have: ` +
      `${known.join(', ')}. Give an endpoint that source, or register the handler with riverhook.from(source)`
  )
}
