import { RiverhookError } from '../model/errors.ts'
import type { AnyEvent } from '../model/event.ts'
import type { Log } from '../model/log.ts'
import { didYouMean } from '../model/nearest.ts'
import { msOf } from '../model/span.ts'
import { inBackground, type FindTracing } from '../model/tracing.ts'
import type { Handlers } from '../handlers/registry.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Actor } from '../model/audit.ts'
import type { BackfillSpan } from '../interface.ts'
import type { BackfillReport } from '../manage/backfill/backfill.ts'
import { backfillGapMark, backfillMark } from '../manage/backfill/watch.ts'
import { backfillSpan } from '../manage/backfill/span.ts'
import { apiOf, listingApiOf } from '../manage/registration/registration.ts'
import type { RegistrationChange } from '../manage/registration/watch.ts'
import {
  checkManaged,
  keepEndpoints,
  type KeptEndpoints,
  type ManageContext,
  type ManagedEndpoint
} from '../manage/watch-endpoints.ts'
import { problemOf, type OptionsProblem } from '../options/problems.ts'
import type { SourcedEndpoint } from '../options/read-endpoint.ts'
import type { Endpoint } from '../options/endpoint-options.ts'
import { chooseRealm } from '../options/realms.ts'
import type { AlarmEndpoint } from '../observe/alarms/subject.ts'
import { registeredOauth } from '../options/registered-oauth.ts'
import { backfillSettings, registerSettings } from '../options/settings.ts'
import type { DriftLog } from '../payload/drift-log.ts'
import { payloadRefusals } from '../payload/refusals.ts'
import { keptHeaders } from '../source/kept-headers.ts'
import { spanTarget } from './act-target.ts'
import type { Audit } from './audit.ts'
import { checkBackfillType } from './check-names.ts'
import type { KnownHandlers } from './known-handlers.ts'
import type { ServedEndpoint } from './served-realms.ts'
import type { SourceInUse, Sources } from './sources.ts'

export interface ManagedOptions {
  readonly endpoints: readonly (Endpoint & { readonly realm: string; readonly source: { readonly name: string } })[]
  readonly sources: Sources
  readonly inbox: Inbox
  readonly registry: Handlers
  /** Asked at each use: a command knows them once it has started. */
  readonly handlers: () => KnownHandlers
  readonly drift: DriftLog
  readonly audit: Audit
  readonly log: Log
  readonly onChange: ((change: RegistrationChange) => unknown) | undefined
  readonly tracing: FindTracing
}

/** Describes what keeps an endpoint from being registered or backfilled, such as an API key that is missing. */
export function managedProblems(endpoint: SourcedEndpoint): readonly OptionsProblem[] {
  const { source } = endpoint
  return problemOf(() => {
    checkManaged([settingsOf({ ...endpoint, realm: chooseRealm(endpoint, source.name) })], source)
  })
}

/** The endpoints as the provider's API knows them: registered, watched, and backfilled. */
export class Managed {
  readonly #endpoints: readonly (ManagedEndpoint & { readonly context: ManageContext })[]
  readonly #registry: Handlers
  readonly #audit: Audit

  constructor(options: ManagedOptions) {
    this.#registry = options.registry
    this.#audit = options.audit
    this.#endpoints = options.endpoints.map((endpoint) => ({
      ...settingsOf(endpoint),
      context: contextOf(options, endpoint, options.sources.get(endpoint.source.name))
    }))
  }

  /** Begins to watch registrations and to backfill at intervals. */
  keep(): readonly KeptEndpoints[] {
    return this.#endpoints.map((endpoint) => keepEndpoints([endpoint], endpoint.context))
  }

  /** The endpoints as the alarms see them. */
  alarmEndpoints(): readonly AlarmEndpoint[] {
    return this.#endpoints.map(({ path, realm, register, backfill, context: { source } }) => {
      const settings = backfill ?? register
      const canList =
        settings !== undefined && source.api !== undefined && apiOf({ ...settings, source }).events !== undefined
      return {
        path,
        realm,
        backfillEveryMs: backfill?.everyMs,
        backfillMark: backfillMark(path),
        gapMark: backfillGapMark(path),
        isRegistered: register !== undefined,
        countMissing: canList
          ? async ({ signal, ...span }) => {
              const request = { ...span, endpoint: path, dryRun: true }
              const { recovered, quarantined } = await this.backfill(request, { signal })
              signal.throwIfAborted()
              return recovered + quarantined
            }
          : undefined
      }
    })
  }

  /**
   * @param how.by who does it
   * @param how.signal ends it early: what was read is in the report
   * @param how.check called with the endpoint before anything is fetched
   * @throws as `Riverhook.backfill`, and what `check` throws
   */
  async backfill(
    { endpoint: path, until = new Date(), ...span }: BackfillSpan,
    {
      by,
      signal,
      check
    }: {
      readonly by?: Actor | undefined
      readonly signal?: AbortSignal | undefined
      readonly check?: (endpoint: ServedEndpoint) => Promise<void>
    } = {}
  ): Promise<BackfillReport> {
    const endpoint =
      path === undefined
        ? (this.#endpoints.find((each) => each.backfill ?? each.register) ?? this.#endpoints[0])
        : this.#endpoints.find((each) => each.path === path)
    if (endpoint === undefined)
      throw noEndpoint(
        String(path),
        this.#endpoints.map((each) => each.path)
      )
    const { context, realm, mode, path: at } = endpoint
    await check?.({ path: at, realm, source: context.source })
    if (span.type !== undefined)
      await checkBackfillType(span.type, context.source, { inbox: context.inbox, registry: this.#registry })
    const { apiKey, apiUrl } = endpoint.backfill ?? endpoint.register ?? {}
    const request = {
      ...context,
      ...span,
      until,
      deliveriesOf: (event: AnyEvent) => context.deliveriesOf(realm, event),
      interest: context.handlers,
      api: listingApiOf({ source: context.source, apiKey, apiUrl }, signal),
      signal,
      realm,
      endpoint: at,
      mode
    }
    const work = { name: 'backfill', endpoint: at } as const
    const tracing = context.tracing()
    if (span.dryRun === true) return inBackground(tracing, work, () => backfillSpan(request))
    // Some events may be recovered before it fails.
    let last: BackfillReport | undefined
    const act = this.#audit.begin({ action: 'backfill.run', target: spanTarget(at, { ...span, until }), by })
    const onProgress = (report: BackfillReport): unknown => {
      last = report
      return span.onProgress?.(report)
    }
    try {
      const report = await inBackground(tracing, work, () => backfillSpan({ ...request, onProgress }))
      await this.#audit.write(act, { count: report.recovered, outcome: `${report.recovered} recovered` })
      return report
    } catch (error) {
      const { recovered = 0 } = last ?? {}
      if (recovered > 0)
        await this.#audit.write(act, { count: recovered, outcome: `${recovered} recovered, then it failed` })
      this.#audit.fail(act, error)
      throw error
    }
  }
}

function noEndpoint(path: string, paths: readonly string[]): RiverhookError {
  const hint = didYouMean(path, paths, { otherwise: `; the endpoints are ${paths.join(', ')}` })
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `backfill(): there is no endpoint ${path}${hint}`)
}

/** Collects what registration and backfill of an endpoint need from its source. */
function contextOf(
  { sources, inbox, handlers, drift, log, onChange, tracing }: ManagedOptions,
  { path, realm, validate }: ManagedOptions['endpoints'][number],
  { source, payloads, keysOf }: SourceInUse
): ManageContext {
  const { name } = source
  return {
    source,
    inbox,
    handlers: {
      get all() {
        return handlers().of(name).all
      },
      for: (type) => handlers().of(name).for(type)
    },
    read: (request) =>
      sources.read({ source: name, headers: keptHeaders(source, request.headers), body: request.body }),
    deliveriesOf: (realm, event) => handlers().deliveriesOf({ realm, source: name }, event),
    keysOf,
    refusalOf: payloadRefusals({
      source,
      payloads,
      handlersOf: (type) => handlers().codeOf(name).for(type),
      modeOf: () => validate,
      onMismatch: (event, _path, mismatches) => {
        drift.count(event, { realm, path }, mismatches)
      }
    }),
    log,
    onChange,
    tracing
  }
}

/** The settings of an endpoint for the provider's API. */
function settingsOf({
  path,
  realm,
  mode,
  basicAuth,
  secrets,
  tokenEndpoint,
  register,
  backfill
}: ManagedOptions['endpoints'][number]): ManagedEndpoint {
  const [credentials] = basicAuth === undefined ? [] : 'username' in basicAuth ? [basicAuth] : basicAuth
  return {
    path,
    realm,
    mode,
    register: register && {
      ...register,
      basicAuth: credentials,
      oauth: registeredOauth({ register, tokenEndpoint }, register.address),
      secret: () => firstSecret(secrets),
      servedAt: path,
      everyMs: msOf(register.every ?? registerSettings.every.default),
      repair: register.repair ?? false
    },
    backfill: backfill && {
      everyMs: msOf(backfill.every ?? backfillSettings.every.default),
      overlapMs: msOf(backfill.overlap ?? backfillSettings.overlap.default),
      apiKey: backfill.apiKey ?? register?.apiKey,
      apiUrl: backfill.apiUrl ?? register?.apiUrl
    }
  }
}

/** The first signing secret of an endpoint. */
export async function firstSecret(secrets: Endpoint['secrets']): Promise<string | undefined> {
  const [first] = [typeof secrets === 'function' ? await secrets() : secrets].flat()
  return first
}
