import { errorText, loggedError } from '../model/error-text.ts'
import { publish } from '../model/channels.ts'
import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import type { MismatchKind, Mismatch, Inbox } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import { eventKeys, visible } from '../model/visible.ts'
import type { Disagreement } from './mismatches.ts'
import { clearTimeout, setTimeout } from '../model/timers.ts'

export interface DriftLogOptions {
  readonly inbox: Pick<Inbox, 'flag' | 'drifts'>
  readonly log: Log
  /** How often counts are written. Default 5,000 ms. */
  readonly everyMs?: number
}

/** Where an event came in. */
export interface NotedAt {
  readonly realm: string
  /** The path of the endpoint. */
  readonly path: string
}

/** Paths and types come from outside: so many kinds are counted apart, and the rest as one. */
const mostKinds = 1_000

/**
 * Counts disagreements by kind, and logs each kind once: in this process, and once ever where the inbox knows it
 * already. The counts go to the inbox every now and then, so that no event waits for them; what a crash loses is some
 * seconds of counts.
 */
export class DriftLog {
  readonly #inbox: DriftLogOptions['inbox']
  readonly #log: Log
  readonly #known = new Set<string>()
  #counts = new Map<string, Mismatch>()
  #timer: NodeJS.Timeout | undefined
  readonly #everyMs: number

  constructor({ inbox, log, everyMs = 5_000 }: DriftLogOptions) {
    this.#inbox = inbox
    this.#log = log
    this.#everyMs = everyMs
  }

  /** Learns what has been logged before. A failure costs no more than a repeated log line. */
  async start(): Promise<void> {
    try {
      for (const kind of await this.#inbox.drifts()) this.#known.add(keyOf(kind))
    } catch (error) {
      this.#log.debug({ err: loggedError(error) }, 'the known disagreements could not be read')
    }
  }

  note(event: AnyEvent, at: NotedAt, disagreements: readonly Disagreement[]): void {
    const now = new Date()
    for (const disagreement of disagreements) {
      const kind = this.#bounded({ realm: at.realm, type: event.type, ...disagreement })
      const key = keyOf(kind)
      const before = this.#counts.get(key)
      this.#counts.set(key, {
        ...kind,
        count: (before?.count ?? 0) + 1,
        firstAt: before?.firstAt ?? now,
        lastAt: now,
        eventId: event.id
      })
      if (!this.#known.has(key)) this.#tell(kind, key, event, at.path)
    }
    this.#timer ??= setTimeout(() => {
      void this.#flush()
    }, this.#everyMs)
  }

  /** Writes what is counted. */
  async end(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#flush()
  }

  #bounded(kind: MismatchKind): MismatchKind {
    if (this.#known.size < mostKinds || this.#known.has(keyOf(kind))) return kind
    return { realm: kind.realm, type: '(more)', path: '', rule: kind.rule, handler: kind.handler }
  }

  #tell({ realm, type, path, rule, handler }: MismatchKind, key: string, { id }: AnyEvent, endpoint: string): void {
    this.#known.add(key)
    const keys = {
      endpoint,
      ...eventKeys(realm, { id, type }),
      path: visible(path),
      rule,
      ...(handler === '' ? {} : { handler })
    }
    if (rule === 'unknown_type')
      this.#log.warn(keys, 'an event type that is not in the catalogue; it is handled like any other')
    else
      this.#log.warn(keys, 'a payload is not as its schema says; said once for each kind, counted in: riverhook drift')
    publish('drift', { endpoint, realm, event_type: type, path, rule, handler })
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
          'counts of disagreements that the inbox refuses were dropped'
        )
    } catch (error) {
      // Kept for the next time: an inbox that is full or locked is mended by then, or the process ends.
      for (const [key, note] of counts) this.#counts.set(key, merged(note, this.#counts.get(key)))
      this.#log.debug({ err: loggedError(error) }, 'counts of disagreements could not be written yet')
    }
  }
}

function merged(note: Mismatch, later: Mismatch | undefined): Mismatch {
  return later === undefined ? note : { ...later, count: note.count + later.count, firstAt: note.firstAt }
}

function keyOf({ realm, type, path, rule, handler }: MismatchKind): string {
  return JSON.stringify([realm, type, path, rule, handler])
}
