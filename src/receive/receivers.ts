import { AddressList } from '../model/address-list.ts'
import { loggedError } from '../model/error-text.ts'
import { RiverhookError } from '../model/errors.ts'
import type { Log } from '../model/log.ts'
import { startLimit } from '../model/time-limit.ts'
import { createAuthenticator, type Checks } from './authenticate/authenticate.ts'
import { Diagnosis } from './authenticate/diagnose.ts'
import { IssuedTokens, type IssuedTokensOptions } from './authenticate/issued-tokens.ts'
import type { SignatureCheck } from './authenticate/signature.ts'
import { Receiver, type ReceiverOptions } from './receiver.ts'
import { Rejections, type RejectionsOptions } from './rejections.ts'
import type { Served } from './served.ts'
import { warnAtStart } from './start-warnings.ts'
import { TokenEndpoint, type TokenEndpointOptions } from './token-endpoint/token-endpoint.ts'

/** The token endpoint of an endpoint, with every setting filled in. */
export type TokenEndpointSettings = Pick<IssuedTokensOptions, 'keys' | 'lifetime'> &
  Pick<TokenEndpointOptions, 'path' | 'clients'> &
  Pick<Route, 'url'>

/** An endpoint with every setting filled in. */
export type EndpointSettings = Omit<Checks, 'tokens'> &
  Pick<
    ReceiverOptions,
    | 'source'
    | 'handlers'
    | 'keysOf'
    | 'payloads'
    | 'wideRedaction'
    | 'path'
    | 'realm'
    | 'bodyLimit'
    | 'ackTimeout'
    | 'mode'
    | 'validate'
  > &
  Pick<Route, 'url'> & {
    /** Whether the options name the realm. */
    readonly isRealmGiven: boolean
    /** Addresses and ranges. */
    readonly allow?: readonly string[] | undefined
    readonly tokenEndpoint?: TokenEndpointSettings | undefined
  }

/** Shared by all endpoints. */
export type Shared = Omit<
  ReceiverOptions,
  keyof EndpointSettings | 'authenticator' | 'diagnosis' | 'rejections' | 'allow'
> &
  Pick<RejectionsOptions, 'counts' | 'onRejected'>

/** A path that is served, with the path within the prefix of the host. */
export interface Route {
  readonly served: Served
  readonly url: string
}

/** All paths that are served, and the first step of the start. */
export interface Receivers {
  /** The endpoints in their order, then their token endpoints. */
  readonly routes: readonly Route[]
  /**
   * Calls the functions for the secrets and keys. Used at the start, before anything is delivered.
   * @returns how many signing secrets each path has
   * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET; RIVERHOOK_OPTIONS_INVALID for a key that cannot be used
   */
  checkSecrets(): Promise<ReadonlyMap<string, number>>
}

/** @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET */
export function createReceivers(endpoints: readonly EndpointSettings[], shared: Shared): Receivers {
  const { counts, onRejected, log, tracing } = shared
  const rejectionsAt = (path: string, realm: string): Rejections =>
    new Rejections({ path, realm, log, counts, onRejected, tracing })
  const checked = endpoints.map((endpoint) => {
    const { path, tokenEndpoint } = endpoint
    const tokens = tokenEndpoint && new IssuedTokens({ ...tokenEndpoint, path })
    return { endpoint, tokens, authenticator: createAuthenticator({ ...endpoint, tokens }, endpoint.source) }
  })
  const signatures = checked.flatMap(({ authenticator }) => authenticator.signature ?? [])
  const issued = checked.flatMap(({ tokens }) => tokens ?? [])
  const diagnosis = new Diagnosis(signatures, log)
  const receivers = checked.map(({ endpoint, authenticator }): Route => {
    const { path, url, realm, allow, source, handlers, keysOf, payloads, wideRedaction } = endpoint
    const { bodyLimit, ackTimeout, mode, validate } = endpoint
    const served = new Receiver({
      ...shared,
      path,
      realm,
      source,
      handlers,
      keysOf,
      payloads,
      wideRedaction,
      bodyLimit,
      ackTimeout,
      mode,
      validate,
      authenticator,
      diagnosis,
      rejections: rejectionsAt(path, realm),
      allow: allow && new AddressList(allow)
    })
    return { served, url }
  })
  const tokenEndpoints = checked.flatMap(({ endpoint: { tokenEndpoint, ackTimeout, realm }, tokens }): Route[] => {
    if (tokenEndpoint === undefined || tokens === undefined) return []
    const { path, url, clients } = tokenEndpoint
    const rejections = rejectionsAt(path, realm)
    return [{ served: new TokenEndpoint({ ...shared, path, clients, tokens, ackTimeout, rejections }), url }]
  })
  return {
    routes: [...receivers, ...tokenEndpoints],
    async checkSecrets() {
      await readSecrets([...signatures, ...issued], log)
      warnAtStart(endpoints, signatures, log)
      return new Map(signatures.map(({ path, secrets }) => [path, secrets.length]))
    }
  }
}

/** How long the start waits for the functions for the secrets and keys. */
const secretsMs = 2_000

/**
 * Calls the functions for the secrets and keys, so that a mistake in them is reported at the start and not by every
 * request. A function that fails or is slow is called again for the first request: a start that hangs on a secret store
 * would be worse.
 * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET for a secret that cannot be used, RIVERHOOK_OPTIONS_INVALID for such
 * a key
 */
async function readSecrets(checks: readonly Pick<SignatureCheck, 'path' | 'refresh'>[], log: Log): Promise<void> {
  const limit = startLimit(secretsMs, () => new Error(`no answer within ${secretsMs} ms`))
  await Promise.all(
    checks.map(async (check) => {
      try {
        await limit.of(check.refresh())
      } catch (error) {
        if (error instanceof RiverhookError)
          throw new RiverhookError(error.code, `${error.message} (endpoint ${check.path})`, { cause: error })
        log.warn(
          { err: loggedError(error), endpoint: check.path },
          'the secrets could not be read; retrying at the first request'
        )
      }
    })
  ).finally(() => {
    limit.end()
  })
}
