import { RiverhookError } from '../model/errors.ts'
import { didYouMean } from '../model/nearest.ts'
import type { AnyEvent, EventMode } from '../model/event.ts'
import type { Inbox, NewDelivery } from '../inbox/inbox.ts'
import type { Log } from '../model/log.ts'
import type { FindTracing } from '../model/tracing.ts'
import type { SearchKeys } from '../model/search-keys.ts'
import type { Reading, Source, SourceRequest } from '../source/source.ts'
import { keepBackfill } from './backfill/watch.ts'
import {
  keepRegistration,
  type KeptRegistration,
  type RegistrationChange,
  type RegistrationStatus
} from './registration/watch.ts'
import { apiOf, listingApiOf, type RegistrationSettings } from './registration/registration.ts'
import type { Repeated } from './repeat.ts'
import type { Interest } from './registration/wanted-types.ts'

/** The settings of an endpoint for the provider's API. */
export interface ManagedEndpoint {
  readonly path: string
  readonly realm: string
  readonly mode: EventMode | undefined
  readonly register:
    | (Omit<RegistrationSettings, 'handlers' | 'source'> & {
        readonly everyMs: number
        readonly repair: boolean
        readonly servedAt: string
      })
    | undefined
  readonly backfill:
    | {
        readonly everyMs: number
        readonly overlapMs: number
        readonly apiKey: string | undefined
        readonly apiUrl: string | undefined
      }
    | undefined
}

/** Shared by all endpoints. */
export interface ManageContext {
  readonly source: Source
  readonly inbox: Inbox
  readonly handlers: Interest
  readonly read: (request: SourceRequest) => Reading
  readonly deliveriesOf: (realm: string, event: AnyEvent) => readonly NewDelivery[]
  readonly keysOf: (event: AnyEvent) => SearchKeys
  readonly refusalOf: (event: AnyEvent, endpoint: string) => string | undefined
  readonly log: Log
  readonly onChange: ((change: RegistrationChange) => unknown) | undefined
  readonly tracing: FindTracing
}

export interface KeptEndpoints {
  readonly registrations: () => readonly RegistrationStatus[]
  /** The registration of the endpoint with this path, if it has one. */
  readonly registration: (path: string) => Pick<KeptRegistration, 'sync'> | undefined
  /** Resolves when nothing is running any more. */
  readonly end: () => Promise<void>
}

/**
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when an endpoint is to be registered or backfilled and there is
 * no key
 */
export function checkManaged(endpoints: readonly ManagedEndpoint[], source: Source): void {
  for (const { register, backfill } of endpoints) {
    if (register !== undefined) apiOf({ ...register, source })
    if (backfill !== undefined) listingApiOf({ ...backfill, source })
  }
}

/**
 * Finds the registration of the endpoint with this path.
 * @param kept undefined until they are watched
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID
 */
export function findRegistration(
  kept: readonly KeptEndpoints[] | undefined,
  path: string
): Pick<KeptRegistration, 'sync'> {
  for (const { registration } of kept ?? []) {
    const found = registration(path)
    if (found !== undefined) return found
  }
  const paths = kept?.flatMap(({ registrations }) => registrations().map(({ endpoint }) => endpoint)) ?? []
  throw new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    kept === undefined
      ? 'syncRegistration(): no registration is watched yet: call it once the server listens'
      : `syncRegistration(): no endpoint ${path} has the option "register"${didYouMean(path, paths, { otherwise: paths.length === 0 ? '' : `; those that have it are ${paths.join(', ')}` })}`
  )
}

/** Starts to keep the registration of each endpoint, and to fetch back what it missed, as far as it is configured. */
export function keepEndpoints(endpoints: readonly ManagedEndpoint[], context: ManageContext): KeptEndpoints {
  const registrations = endpoints.flatMap(({ path, register }) =>
    register === undefined ? [] : [keepRegistration({ ...context, ...register, endpoint: path })]
  )
  const backfills = endpoints.flatMap(({ path, realm, mode, backfill }) =>
    backfill === undefined
      ? []
      : [
          keepBackfill({
            ...context,
            ...backfill,
            deliveriesOf: (event) => context.deliveriesOf(realm, event),
            interest: context.handlers,
            realm,
            endpoint: path,
            mode
          })
        ]
  )
  const all: readonly Repeated[] = [...registrations, ...backfills]
  return {
    registrations: () => registrations.map(({ status }) => status()),
    registration: (path) => registrations.find(({ status }) => status().endpoint === path),
    end: async () => {
      await Promise.all(all.map(({ end }) => end()))
    }
  }
}
