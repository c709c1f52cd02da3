import { RiverhookError } from '../model/errors.ts'
import type { EventKey, EventMode } from '../model/event.ts'
import type { ReplayFilter } from '../model/job.ts'
import { checkReplayFilter, checkText } from '../inbox/check.ts'
import { rebuildKeys, type RebuiltKeys } from '../inbox/rebuild-keys.ts'
import {
  replayInOrder,
  retryAllQuarantined,
  selectReplay,
  type QuarantineResult,
  type ReplayCandidate,
  type ReplayCounts
} from '../inbox/replay.ts'
import { checkNames, type KnownNames } from './check-names.ts'
import type { KnownHandlers } from './known-handlers.ts'

export interface RecoveryOptions extends KnownNames {
  /** Asked at each call: a command knows them once it has started. */
  readonly handlers: () => KnownHandlers
  /** The `mode` of an endpoint, if there is one at this path. */
  readonly modeOf: (path: string) => EventMode | undefined
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

  /** Makes the deliveries due that `select` found. See `replayInOrder`. */
  run(candidates: readonly ReplayCandidate[], onProgress?: (count: number) => void): Promise<ReplayCounts> {
    return replayInOrder(this.#options.inbox, candidates, onProgress)
  }

  /** @returns how many deliveries were made due or created. @throws as `Riverhook.replay` */
  async replay(filter: ReplayFilter): Promise<number> {
    const { replayed, created, refused } = await this.run(await Array.fromAsync(this.select(filter)))
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
  retryAll(keys: readonly EventKey[]): ReturnType<typeof retryAllQuarantined> {
    const { inbox, sources, handlers, modeOf } = this.#options
    return retryAllQuarantined(inbox, keys, {
      read: (request) => sources.read(request),
      aboutOf: (event, { source }) => sources.get(source).aboutOf(event),
      deliveriesOf: (event, request) => handlers().deliveriesOf(request, event),
      modeOf
    })
  }

  /** Computes the search keys of all events again. See `rebuildKeys`. */
  rebuildKeys(onProgress?: (count: number) => void): Promise<RebuiltKeys> {
    const { inbox, sources } = this.#options
    return rebuildKeys(inbox, (event) => sources.readKeys(event), onProgress)
  }

  /**
   * @returns undefined if there is no quarantined request of that id
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for an id that is not a string: it would match all requests
   */
  async retry(id: string): Promise<QuarantineResult | undefined> {
    // The id is made from the realm too, so at most one request has it.
    const { events } = await this.#options.inbox.events({
      id: checkText(id, 'id of retryQuarantined()'),
      state: 'quarantined',
      limit: 1
    })
    const [retried] = await Array.fromAsync(this.retryAll(events.map(({ realm }) => ({ realm, id }))))
    return retried?.result
  }
}
