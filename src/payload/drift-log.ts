import { errorText, loggedError } from '../model/error-text.ts'
import { publish } from '../model/channels.ts'
import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import type { MismatchKind, Mismatch, Inbox } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import { inOwnContext } from '../model/own-context.ts'
import { eventKeys, visible } from '../model/visible.ts'
import type { PayloadMismatch } from './mismatches.ts'
import { within } from '../model/time-limit.ts'
import { clearTimeout, setTimeout } from '../model/timers.ts'

export interface DriftLogOptions {
  readonly inbox: Pick<Inbox, 'flag' | 'drifts'>
  readonly log: Log
  /** How often counts are stored. Default 5,000 ms. */
  readonly everyMs?: number
}

/** The endpoint that received an event. */
export interface DriftPlace {
  readonly realm: string
  /** The path of the endpoint. */
  readonly path: string
}

/** The most kinds that are counted one by one; the rest share one entry. Paths and types come from outside. */
const mostKinds = 1_000
/** The most events whose mismatches wait at the same time: the inbox may be slow. */
const mostWaiting = 1_000

/**
 * Counts mismatches by kind, and logs each kind once: once in this process, and once ever if the inbox already knows
 * it. Counts are stored in the inbox at intervals, so that no event waits for them. A crash loses the counts of a few
 * seconds.
 */
export class DriftLog {
  readonly #inbox: DriftLogOptions['inbox']
  readonly #log: Log
  readonly #known = new Set<string>()
  /** Until the known kinds are loaded. */
  #loading: Promise<void> | undefined
  #waiting = 0
  #counts = new Map<string, Mismatch>()
  #timer: NodeJS.Timeout | undefined
  #isEnded = false
  readonly #everyMs: number

  constructor({ inbox, log, everyMs = 5_000 }: DriftLogOptions) {
    this.#inbox = inbox
    this.#log = log
    this.#everyMs = everyMs
  }

  /**
   * Begins to load the kinds that have been logged before. Mismatches wait for it, as long as counts wait to be stored;
   * neither the start of a server nor an event does. If it fails or takes longer, or if more mismatches come meanwhile
   * than can wait, log lines are only repeated.
   */
  start(): void {
    this.#loading = inOwnContext(async () => {
      await within(this.#everyMs, this.#load())
      this.#loading = undefined
    })
  }

  async #load(): Promise<void> {
    try {
      for (const kind of await this.#inbox.drifts()) this.#known.add(kindKey(kind))
    } catch (error) {
      this.#log.debug({ err: loggedError(error) }, 'the known payload mismatches could not be read')
    }
  }

  count({ id, type }: AnyEvent, at: DriftPlace, mismatches: readonly PayloadMismatch[]): void {
    const count = (): void => {
      this.#count({ id, type }, at, mismatches)
    }
    if (this.#loading === undefined || this.#waiting >= mostWaiting) {
      count()
      return
    }
    this.#waiting += 1
    void this.#loading.then(count)
  }

  #count(event: Pick<AnyEvent, 'id' | 'type'>, at: DriftPlace, mismatches: readonly PayloadMismatch[]): void {
    const now = new Date()
    for (const mismatch of mismatches) {
      const kind = this.#bounded({ realm: at.realm, type: event.type, ...mismatch })
      const key = kindKey(kind)
      const before = this.#counts.get(key)
      this.#counts.set(key, {
        ...kind,
        count: (before?.count ?? 0) + 1,
        firstAt: before?.firstAt ?? now,
        lastAt: now,
        eventId: event.id
      })
      const is_new = !this.#known.has(key)
      if (is_new) this.#logKind(kind, key, event, at.path)
      const { path, rule, handler } = mismatch
      publish('drift', { endpoint: at.path, realm: at.realm, event_type: event.type, path, rule, handler, is_new })
    }
    // The inbox is closed by then, and a timer would keep the process alive.
    if (this.#isEnded) return
    const flush = (): void => {
      void this.#flush()
    }
    this.#timer ??= inOwnContext(() => setTimeout(flush, this.#everyMs))
  }

  /** Stores the counts. Later mismatches are only logged. */
  async end(): Promise<void> {
    await this.#loading
    this.#isEnded = true
    clearTimeout(this.#timer)
    await this.#flush()
  }

  #bounded(kind: MismatchKind): MismatchKind {
    if (this.#known.size < mostKinds || this.#known.has(kindKey(kind))) return kind
    return { realm: kind.realm, type: '(more)', path: '', rule: kind.rule, handler: kind.handler }
  }

  #logKind(
    { realm, type, path, rule, handler }: MismatchKind,
    key: string,
    { id }: Pick<AnyEvent, 'id'>,
    endpoint: string
  ): void {
    this.#known.add(key)
    const keys = {
      endpoint,
      ...eventKeys(realm, { id, type }),
      path: visible(path),
      rule,
      ...(handler === '' ? {} : { handler })
    }
    if (rule === 'unknown_type')
      this.#log.warn(
        keys,
        'unknown event type; the event is handled like any other (logged once per type; see `riverhook drift`)'
      )
    else this.#log.warn(keys, 'payload does not match its schema (logged once per kind; see `riverhook drift`)')
  }

  async #flush(): Promise<void> {
    this.#timer = undefined
    const counts = this.#counts
    if (counts.size === 0) return
    this.#counts = new Map()
    try {
      const results = await this.#inbox.flag([...counts.values()])
      const refused = results.filter((result) => result instanceof RiverhookError)
      if (refused.length > 0)
        this.#log.warn(
          { kinds: refused.length, reason: errorText(refused[0]) },
          'counts of payload mismatches were dropped, because the inbox refused them'
        )
    } catch (error) {
      // Keep the counts for the next attempt: the inbox may be full or locked now.
      for (const [key, earlier] of counts) this.#counts.set(key, addCounts(earlier, this.#counts.get(key)))
      this.#log.debug({ err: loggedError(error) }, 'counts of payload mismatches could not be stored; retrying')
    }
  }
}

function addCounts(earlier: Mismatch, later: Mismatch | undefined): Mismatch {
  return later === undefined ? earlier : { ...later, count: earlier.count + later.count, firstAt: earlier.firstAt }
}

function kindKey({ realm, type, path, rule, handler }: MismatchKind): string {
  return JSON.stringify([realm, type, path, rule, handler])
}
