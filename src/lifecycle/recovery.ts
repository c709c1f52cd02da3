import type { Actor, ActResult } from '../model/audit.ts'
import type { AnyEvent, EventKey, EventMode } from '../model/event.ts'
import { retryResult } from '../inbox/act-results.ts'
import { checkText } from '../inbox/check.ts'
import type { EventDetail, Inbox } from '../inbox/inbox.ts'
import { rebuildKeys, type RebuiltKeys } from '../inbox/rebuild-keys.ts'
import { retryAllQuarantined, type QuarantineResult } from '../inbox/replay.ts'
import { eventsTarget } from './act-target.ts'
import type { Audit } from './audit.ts'
import type { KnownHandlers } from './known-handlers.ts'
import type { Sources } from './sources.ts'

export interface RecoveryOptions {
  readonly inbox: Inbox
  readonly sources: Sources
  /** Asked at each call: a command knows them once it has started. */
  readonly handlers: () => KnownHandlers
  /** The `mode` of an endpoint, if there is one at this path. */
  readonly modeOf: (path: string) => EventMode | undefined
  readonly audit: Audit
}

/** Repairs what is stored: reads quarantined requests and search keys again. */
export class Recovery {
  readonly #options: RecoveryOptions

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  /** Reads quarantined requests again. See `retryAllQuarantined`. */
  async *retryAll(
    keys: readonly EventKey[],
    { by, target = eventsTarget(keys) }: { readonly by?: Actor | undefined; readonly target?: string } = {}
  ): ReturnType<typeof retryAllQuarantined> {
    const { inbox, sources, handlers, modeOf, audit } = this.#options
    const act = audit.begin({ action: 'quarantine.retry', target, by })
    const reading = {
      read: (request: EventDetail) => sources.read(request),
      keysOf: (event: AnyEvent, { source }: EventDetail) => sources.get(source).keysOf(event),
      deliveriesOf: (event: AnyEvent, request: EventDetail) => handlers().deliveriesOf(request, event),
      modeOf
    }
    const results: (QuarantineResult | undefined)[] = []
    try {
      for await (const retried of retryAllQuarantined(inbox, keys, reading, act)) {
        results.push(retried.result)
        yield retried
      }
    } catch (error) {
      audit.fail(act, error)
      throw error
    }
    audit.report(act, retryResult(results))
  }

  /** Computes the search keys of all events again. See `rebuildKeys`. */
  async rebuildKeys(onProgress?: (count: number) => void): Promise<RebuiltKeys> {
    const { inbox, sources, audit } = this.#options
    const act = { action: 'keys.rebuild', target: 'all events' }
    // It may take minutes and be ended before its end, with a part of the events changed.
    await inbox.audit(audit.begin(act), { count: 0, outcome: 'begun' })
    return audit.runOutside(
      act,
      () => rebuildKeys(inbox, (event) => sources.readKeys(event), onProgress),
      ({ changed, seen }): ActResult => ({ count: changed, outcome: `${changed} of ${seen} changed` })
    )
  }

  /**
   * @returns undefined if there is no quarantined request of that id
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for an id that is not a string: it would match all requests
   */
  async retry(id: string, by?: Actor): Promise<QuarantineResult | undefined> {
    // The id is made from the realm too, so at most one request has it.
    const { events } = await this.#options.inbox.events({
      id: checkText(id, 'id of retryQuarantined()'),
      state: 'quarantined',
      limit: 1
    })
    const keys = events.map(({ realm }) => ({ realm, id }))
    const [retried] = await Array.fromAsync(this.retryAll(keys, { by, target: id }))
    return retried?.result
  }
}
