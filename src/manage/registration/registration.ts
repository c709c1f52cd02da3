import { RiverhookError } from '../../model/errors.ts'
import type { NewRegistration, Registration, Source, SourceApi } from '../../source/source.ts'
import { isSameAddress, type Plan } from './plan.ts'
import { planSync, sync, type SyncResult, type Want } from './sync.ts'
import { wantedTypes, type Interest } from './wanted-types.ts'

/** What the code says of an endpoint's registration. */
export interface RegistrationSettings {
  /** The URL that the provider is to POST to. */
  readonly address: string
  /** Who is to be told: the registry of the handlers. */
  readonly handlers: Interest
  /** The provider: its event types and its API. */
  readonly source: Pick<Source, 'name' | 'types' | 'withdrawnTypes' | 'api'>
  readonly apiKey?: string | undefined
  readonly apiUrl?: string | undefined
  /** Event types to ask for beside those that the handlers name. A pattern stands for the types that are known. */
  readonly types?: readonly string[] | undefined
  readonly apiVersion?: string | undefined
  /** The basic authentication that the callback is to carry. */
  readonly basicAuth?: { readonly username: string; readonly password: string } | undefined
  readonly oauth?: NewRegistration['oauth']
  readonly mode?: 'test' | 'live' | undefined
}

/**
 * Makes the provider have the webhook that the code wants: its address, the event types of the handlers, enabled, and
 * the authentication. Run again, it does nothing. No other webhook of the account is touched.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when no key is given or no handler asks for anything; what the
 * API throws
 */
export async function syncWebhook(settings: RegistrationSettings): Promise<SyncResult> {
  return sync(apiOf(settings), wantOf(settings))
}

/** The plan that `syncWebhook` would carry out. Changes nothing. @throws as `syncWebhook` */
export async function planWebhook(settings: RegistrationSettings): Promise<Plan> {
  return planSync(apiOf(settings), wantOf(settings))
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

/** @throws {RiverhookError} (the function) RIVERHOOK_OPTIONS_INVALID when no handler asks for a known event type */
export function wantOf(settings: RegistrationSettings): Want {
  const { address, handlers, source, types: extra, apiVersion, basicAuth, oauth } = settings
  return (webhooks) => {
    const accepted = webhooks.filter((webhook) => isSameAddress(webhook.address, address)).flatMap(({ types }) => types)
    const { types, unknown } = wantedTypes(handlers, source, extra, accepted)
    if (types.length === 0) {
      throw new RiverhookError(
        'RIVERHOOK_OPTIONS_INVALID',
        `No handler asks for an event type that is known${unknown.length === 0 ? '' : ` (there are handlers for ${unknown.join(', ')})`}: a webhook needs one at least`
      )
    }
    const transport =
      oauth === undefined
        ? basicAuth === undefined
          ? {}
          : ({ transportType: 'HTTP', authentication: { ...basicAuth } } as const)
        : ({ transportType: 'OAUTH', oauth } as const)
    return {
      unknown,
      registration: { address, types, enabled: true, ...(apiVersion === undefined ? {} : { apiVersion }), ...transport }
    }
  }
}

/**
 * A sentence for the log when the provider would post to a path that is not served; undefined when it is.
 * @param servedAt the path of the route
 */
export function pathWarning(address: string, servedAt: string): string | undefined {
  const path = URL.canParse(address) ? new URL(address).pathname : undefined
  if (path === undefined || path === servedAt || decoded(path) === servedAt) return undefined
  return `the address to register has the path ${path}, and the endpoint is at ${servedAt}: unless a proxy rewrites it, every event is answered 404`
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    // No path that a route could have.
    return undefined
  }
}

const testWords = /(?:^|[.\-_/])(?:test|tests|testing|staging|stage|sandbox|dev|localhost|127\.0\.0\.1)(?:[.\-_/:]|$)/i

/** Whether the key's environment, the endpoint's and the webhook's are one. @returns sentences for the log */
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
      ? [`the API key is a ${keyMode} key, and the endpoint is for ${mode} events: test and live are mixed up`]
      : []),
    ...(looksLikeTest
      ? [
          `the API key is a live key, and ${address} looks like a test endpoint: it would get the events of real customers (say mode: 'live' if that is meant)`
        ]
      : []),
    ...(mode !== undefined && webhookMode !== undefined && mode !== webhookMode
      ? [`the webhook sends ${webhookMode} events, and the endpoint is for ${mode} events`]
      : [])
  ]
}
