import { RiverhookError } from '../../model/errors.ts'
import type { ListedEvents, Registration, RegistrationGiven, Source, SourceApi } from '../../source/source.ts'
import { isSameAddress, type Plan } from './plan.ts'
import { planSync, sync, type SyncResult, type ComputeWanted } from './sync.ts'
import { wantedTypes, type Interest } from './wanted-types.ts'

/** The registration of an endpoint, as the code wants it. */
export interface RegistrationSettings extends Omit<RegistrationGiven, 'secret'> {
  /** The URL that the provider will POST to. */
  readonly address: string
  /** The handlers, whose event types are requested. */
  readonly handlers: Interest
  /** The provider: its event types and its API. */
  readonly source: Pick<Source, 'name' | 'types' | 'withdrawnTypes' | 'secretSteps' | 'registration' | 'api'>
  readonly apiKey?: string | undefined
  readonly apiUrl?: string | undefined
  /** Event types to request beside those of the handlers. A pattern stands for all known types that it matches. */
  readonly types?: readonly string[] | undefined
  readonly mode?: 'test' | 'live' | undefined
  /** Returns the first signing secret of the endpoint, for a provider that is given the secret at registration. */
  readonly secret?: (() => Promise<string | undefined>) | undefined
}

/**
 * Creates or changes the webhook at the provider: its address, the event types of the handlers, enabled, and the
 * authentication. A second run changes nothing. Other webhooks of the account are never touched.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when no key is given or no handler asks for anything; what the
 * API throws
 */
export async function syncWebhook(settings: RegistrationSettings): Promise<SyncResult> {
  return sync(apiOf(settings), wantedWebhook(settings))
}

/** The plan that `syncWebhook` would carry out. Changes nothing. @throws as `syncWebhook` */
export async function planWebhook(settings: RegistrationSettings): Promise<Plan> {
  return planSync(apiOf(settings), wantedWebhook(settings))
}

/** The API of the provider. @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID */
export function apiOf(
  { source, apiKey, apiUrl }: Pick<RegistrationSettings, 'source' | 'apiKey' | 'apiUrl'>,
  signal?: AbortSignal
): SourceApi {
  if (source.api === undefined)
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `${source.name} has no API to register webhooks or list events with`
    )
  return source.api({ apiKey, apiUrl, signal })
}

/** The API of a provider that lists past events. @throws as `apiOf`, also where the provider has no such list */
export function listingApiOf(
  settings: Pick<RegistrationSettings, 'source' | 'apiKey' | 'apiUrl'>,
  signal?: AbortSignal
): { readonly events: ListedEvents } {
  const { events } = apiOf(settings, signal)
  if (events !== undefined) return { events }
  throw new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    `${settings.source.name} lists no past events, so nothing can be backfilled`
  )
}

/**
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for an option that the provider has no field for; the function
 * throws it when no handler asks for a known event type
 */
export function wantedWebhook(settings: RegistrationSettings): ComputeWanted {
  const { address, handlers, source, types: extra } = settings
  ownFieldsOf(settings, undefined)
  return async (webhooks) => {
    const accepted = webhooks.filter((webhook) => isSameAddress(webhook.address, address)).flatMap(({ types }) => types)
    const { types, unknown } = wantedTypes(handlers, source, extra, accepted)
    if (types.length === 0) {
      throw new RiverhookError(
        'RIVERHOOK_OPTIONS_INVALID',
        `No handler takes a known event type${unknown.length === 0 ? '' : ` (handlers: ${unknown.join(', ')})`}, and a webhook needs at least one`
      )
    }
    return {
      unknown,
      registration: { address, types, enabled: true, ...ownFieldsOf(settings, await settings.secret?.()) },
      defaults: source.registration?.defaults
    }
  }
}

/**
 * The provider's own fields.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for an option that would be ignored
 */
export function ownFieldsOf(
  {
    source: { name, registration },
    apiVersion,
    basicAuth,
    oauth
  }: Pick<RegistrationSettings, 'source' | 'apiVersion' | 'basicAuth' | 'oauth'>,
  secret: string | undefined
): Readonly<Record<string, unknown>> {
  if (registration?.fieldsOf !== undefined) return registration.fieldsOf({ apiVersion, basicAuth, oauth, secret })
  const ignored = Object.entries({ apiVersion, basicAuth, oauth }).find(([, value]) => value !== undefined)
  if (ignored === undefined) return {}
  throw new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    `${name} has nothing to register for the option "${ignored[0]}": leave it out, or register the webhook by hand`
  )
}

/**
 * A sentence for the log if the provider would POST to a path that is not served; otherwise undefined.
 * @param servedAt the path of the route
 */
export function pathWarning(address: string, servedAt: string): string | undefined {
  const path = URL.canParse(address) ? new URL(address).pathname : undefined
  if (path === undefined || path === servedAt || decoded(path) === servedAt) return undefined
  return `the address to register has the path ${path}, but the endpoint is at ${servedAt}: unless a proxy rewrites the path, every event is answered 404`
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    // No route can have this path.
    return undefined
  }
}

const testWords = /(?:^|[.\-_/])(?:test|tests|testing|staging|stage|sandbox|dev|localhost|127\.0\.0\.1)(?:[.\-_/:]|$)/i

/** Checks that key, endpoint and webhook are of one environment. @returns sentences for the log */
export function modeWarnings(
  { mode, address }: Pick<RegistrationSettings, 'mode' | 'address'>,
  keyMode: SourceApi['mode'],
  webhook?: Registration
): string[] {
  const wrongKey = mode !== undefined && keyMode !== undefined && mode !== keyMode
  const looksLikeTest = mode === undefined && keyMode === 'live' && testWords.test(address)
  const webhookMode = webhook?.liveMode === undefined ? undefined : webhook.liveMode ? 'live' : 'test'
  return [
    ...(wrongKey
      ? [`the API key is a ${keyMode} key, but the endpoint is for ${mode} events: test and live are mixed up`]
      : []),
    ...(looksLikeTest
      ? [
          `the API key is a live key, and ${address} looks like a test endpoint: it would get the events of real customers (if this is intended, set mode: 'live')`
        ]
      : []),
    ...(mode !== undefined && webhookMode !== undefined && mode !== webhookMode
      ? [`the webhook sends ${webhookMode} events, but the endpoint is for ${mode} events`]
      : [])
  ]
}
