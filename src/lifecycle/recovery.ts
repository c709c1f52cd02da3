import { RiverhookError } from '../model/errors.ts'
import type { Actor, ActResult } from '../model/audit.ts'
import type { AnyEvent, EventKey, EventMode } from '../model/event.ts'
import type { ReplayFilter } from '../model/job.ts'
import { replayCountsResult, retryResult } from '../inbox/act-results.ts'
import { checkReplayFilter, checkText } from '../inbox/check.ts'
import type { EventDetail } from '../inbox/inbox.ts'
import { rebuildKeys, type RebuiltKeys } from '../inbox/rebuild-keys.ts'
import {
  replayInOrder,
  retryAllQuarantined,
  selectReplay,
  type QuarantineResult,
  type ReplayCandidate,
  type ReplayCounts
} from '../inbox/replay.ts'
import { eventsTarget, filterTarget } from './act-target.ts'
import type { Audit } from './audit.ts'
import { checkNames, type KnownNames } from './check-names.ts'
import type { KnownHandlers } from './known-handlers.ts'

export interface RecoveryOptions extends KnownNames {
  /** Asked at each call: a command knows them once it has started. */
  readonly handlers: () => KnownHandlers
  /** The `mode` of an endpoint, if there is one at this path. */
  readonly modeOf: (path: string) => EventMode | undefined
  readonly audit: Audit
}

/** How a replay runs. */
export interface RecoveryRun {
  readonly filter: ReplayFilter
  readonly by?: Actor | undefined
  readonly onProgress?: ((count: number) => void) | undefined
}

/** Repairs what is stored: makes deliveries due again, and reads quarantined requests again. */
export class Recovery {
  readonly #options: RecoveryOptions

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  /** Finds the deliveries of a replay. Changes nothing. See `selectReplay`. @throws also as `checkNames` */
  async *select(given: ReplayFilter): AsyncGenerator<ReplayCandidate> {
    const { inbox, sources, handlers, registry, realms } = this.#options
    const filter = checkReplayFilter(given)
    await checkNames(filter, { inbox, sources, registry, realms })
    yield* selectReplay(inbox, filter, {
      for: ({ source, type }) =>
        handlers()
          .of(source)
          .for(type)
          .map(({ name }) => name),
      orderKey: (handler, stored) => handlers().orderKeyOf(handler, stored, sources.revive(stored))
    })
  }

  /**
   * Makes the deliveries due that `select` found. See `replayInOrder`.
   * @param how.filter by which they were found
   */
  run(candidates: readonly ReplayCandidate[], { filter, by, onProgress }: RecoveryRun): Promise<ReplayCounts> {
    const { inbox, audit } = this.#options
    return audit.run(
      { action: 'events.replay', target: filterTarget(filter), by },
      (act) => replayInOrder(inbox, candidates, { act, onProgress }),
      replayCountsResult
    )
  }

  /** @returns how many deliveries were made due or created. @throws as `Riverhook.replay` */
  async replay(filter: ReplayFilter, by?: Actor): Promise<number> {
    const found = await Array.fromAsync(this.select(filter))
    const { replayed, created, refused } = await this.run(found, { filter, by })
    const [first] = refused
    if (first === undefined) return replayed + created
    throw new RiverhookError(
      'RIVERHOOK_INBOX_UNAVAILABLE',
      `${replayed + created} replayed; the inbox refused ${refused.length} and left them unchanged, for example ` +
        `${first.handler} of ${first.event.id}: ${first.error.message}`,
      { cause: first.error }
    )
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
      aboutOf: (event: AnyEvent, { source }: EventDetail) => sources.get(source).aboutOf(event),
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
  rebuildKeys(onProgress?: (count: number) => void): Promise<RebuiltKeys> {
    const { inbox, sources, audit } = this.#options
    return audit.runOutside(
      { action: 'keys.rebuild', target: 'all events' },
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
