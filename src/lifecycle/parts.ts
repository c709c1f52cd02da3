import { RiverhookError } from '../model/errors.ts'
import type { Actor } from '../model/audit.ts'
import type { EventMode } from '../model/event.ts'
import type { Log } from '../model/log.ts'
import { Registry } from '../handlers/registry.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { encryptInbox, openInbox, openInboxAlone } from '../inbox/open-inbox.ts'
import { checkOptions } from '../options/check-options.ts'
import type { SourcedEndpoint } from '../options/read-endpoint.ts'
import { defaultSource } from '../options/default-source.ts'
import { chooseRealm } from '../options/realms.ts'
import type { RiverhookOptions } from '../options/riverhook-options.ts'
import { pluginSettings } from '../options/settings.ts'
import { Traces } from '../observe/traces/traces.ts'
import { DriftLog } from '../payload/drift-log.ts'
import { Audit } from './audit.ts'
import { checkNames, type NamingFilter } from './check-names.ts'
import type { KnownHandlers } from './known-handlers.ts'
import { Managed, managedProblems } from './managed.ts'
import { mountHandlers } from './mount-handlers.ts'
import { Recovery } from './recovery.ts'
import { ReplayJobs } from './replay-jobs.ts'
import { Sources } from './sources.ts'

/** How a receiver is hosted. */
export interface PartsOptions {
  readonly log: Log
  /** The prefix of all paths, such as that of Fastify's scope. */
  readonly prefix: string
  /** `command` opens the inbox beside the server that has it, and needs no credentials of the endpoints. */
  readonly role: 'server' | 'command'
  /** True if the process does nothing else than this command. */
  readonly isAlone?: boolean | undefined
  /** The actor of a call that names none. */
  readonly actor: Actor | undefined
  /** Asked at each use: a command knows them once it has started. */
  readonly handlers: (registry: Registry) => KnownHandlers
}

/** The longest that a server counts for the plan of a replay: as long as any read for people. */
const planMs = 2_000

/** An endpoint with its realm, which may be that of the options, and its path within the prefix. */
export type PlacedEndpoint = Omit<SourcedEndpoint, 'tokenEndpoint'> & {
  readonly tokenEndpoint: (NonNullable<SourcedEndpoint['tokenEndpoint']> & { readonly url: string }) | undefined
  readonly realm: string
  readonly isRealmGiven: boolean
  readonly url: string
}

/** The common parts of a server and a command. */
export interface Parts {
  readonly endpoints: readonly PlacedEndpoint[]
  readonly inbox: Inbox
  /** Undefined: the user made the engine. */
  readonly address: string | undefined
  readonly registry: Registry
  readonly sources: Sources
  readonly drift: DriftLog
  readonly managed: Managed
  readonly audit: Audit
  readonly recovery: Recovery
  /** See `Riverhook.checkFilter`. */
  readonly checkFilter: (filter: NamingFilter) => Promise<void>
  readonly replays: ReplayJobs
  readonly traces: Traces
  /** Registers the handlers of the option `handlers`. A second call does nothing. @param timeoutMs for all files */
  readonly load: (timeoutMs?: number) => Promise<void>
}

/**
 * Checks the options and makes the parts. Opens nothing.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, RIVERHOOK_OPTIONS_NO_CREDENTIALS, RIVERHOOK_INBOX_ADDRESS
 */
export function makeParts(
  options: RiverhookOptions,
  { log, prefix, role, isAlone, actor, handlers }: PartsOptions
): Parts {
  const { source = defaultSource() } = options
  const endpoints = checkOptions({ ...options }, role, managedProblems).map((endpoint) => ({
    ...endpoint,
    realm: chooseRealm(endpoint, endpoint.source.name),
    isRealmGiven: endpoint.realm !== undefined,
    path: wholePath(prefix, endpoint.path),
    url: endpoint.path,
    tokenEndpoint: endpoint.tokenEndpoint && {
      ...endpoint.tokenEndpoint,
      path: wholePath(prefix, endpoint.tokenEndpoint.path),
      url: endpoint.tokenEndpoint.path
    }
  }))
  const given = options.inbox ?? pluginSettings.inbox.default
  const { encryption } = options
  const inbox =
    typeof given === 'string'
      ? isAlone === true
        ? openInboxAlone(given, encryption)
        : openInbox(given, { role, encryption })
      : encryption === undefined
        ? given
        : encryptInbox(given, encryption)
  if (role === 'server' && inbox.role === 'command')
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `Option "inbox" is a ${inbox.name} inbox with role: 'command', which may not deliver: leave out that role`
    )
  const registry = new Registry(source.name)
  const sources = new Sources(
    endpoints.map(({ source }) => source),
    { handlers: registry, searchPaths: options.search?.keys ?? [], redactPaths: options.redact ?? [], log }
  )
  const known = (): KnownHandlers => handlers(registry)
  const drift = new DriftLog({ inbox, log })
  const audit = new Audit({ inbox, log, actor })
  const traces = new Traces(options.trace)
  const managed = new Managed({
    endpoints,
    sources,
    inbox,
    registry,
    handlers: known,
    drift,
    audit,
    log,
    onChange: options.onRegistrationChange,
    tracing: () => traces.current
  })
  const modeOf = (path: string): EventMode | undefined => endpoints.find((endpoint) => endpoint.path === path)?.mode
  const checkFilter = (filter: NamingFilter): Promise<void> =>
    checkNames(filter, { inbox, sources, registry, endpoints })
  let loaded: Promise<void> | undefined
  return {
    endpoints,
    inbox,
    address: typeof given === 'string' ? given : undefined,
    registry,
    sources,
    drift,
    managed,
    audit,
    traces,
    checkFilter,
    recovery: new Recovery({ inbox, sources, handlers: known, modeOf, audit }),
    replays: new ReplayJobs({
      inbox,
      audit,
      log,
      handlers: {
        for: ({ source, type }) =>
          known()
            .of(source)
            .for(type)
            .map(({ name }) => name),
        orderKey: (handler, stored) => known().orderKeyOf(handler, stored, sources.revive(stored))
      },
      checkNames: checkFilter,
      tracing: () => traces.current,
      planMs: role === 'server' ? planMs : undefined
    }),
    load: (timeoutMs) =>
      (loaded ??= mountHandlers(options, registry.registrar(), {
        timeoutMs,
        log: role === 'server' ? log : undefined
      }))
  }
}

/** The full path, with the prefixes of the scopes around the plugin. */
function wholePath(prefix: string, path: string): string {
  return path === '/' && prefix !== '' ? prefix : prefix.replace(/\/$/, '') + path
}
