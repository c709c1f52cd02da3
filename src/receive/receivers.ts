import { loggedError } from '../model/error-text.ts'
import { RiverhookError } from '../model/errors.ts'
import type { Log } from '../model/log.ts'
import { createAuthenticator, type Checks } from './authenticate/authenticate.ts'
import { Diagnosis } from './authenticate/diagnose.ts'
import { Receiver, type ReceiverOptions } from './receiver.ts'
import type { SignatureCheck } from './authenticate/signature.ts'
import { warnAtStart } from './start-warnings.ts'
import { startLimit } from '../model/time-limit.ts'

/** An endpoint with every setting filled in. */
export type EndpointSettings = Checks &
  Pick<
    ReceiverOptions,
    'source' | 'handlers' | 'keysOf' | 'payloads' | 'path' | 'realm' | 'bodyLimit' | 'ackTimeout' | 'mode' | 'validate'
  > & {
    /** Whether the options name the realm. */
    readonly isRealmGiven: boolean
  }

/** Shared by all endpoints. */
export type Shared = Omit<ReceiverOptions, keyof EndpointSettings | 'authenticator' | 'diagnosis'>

/** The receivers of all endpoints, in their order. */
export interface Receivers {
  readonly all: readonly Receiver[]
  /**
   * Calls the functions for the secrets. Used at the start, before anything is delivered.
   * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET
   */
  checkSecrets(): Promise<void>
}

/** @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET */
export function createReceivers(endpoints: readonly EndpointSettings[], shared: Shared): Receivers {
  const authenticators = endpoints.map((endpoint) => createAuthenticator(endpoint, endpoint.source))
  const signatures = authenticators.flatMap(({ signature }) => signature ?? [])
  const diagnosis = new Diagnosis(signatures, shared.log)
  const all = endpoints.map((endpoint, index) => {
    const { path, realm, source, handlers, keysOf, payloads, bodyLimit, ackTimeout, mode, validate } = endpoint
    const authenticator = authenticators[index]
    if (authenticator === undefined) throw new TypeError('there is an authenticator for each endpoint')
    return new Receiver({
      ...shared,
      path,
      realm,
      source,
      handlers,
      keysOf,
      payloads,
      bodyLimit,
      ackTimeout,
      mode,
      validate,
      authenticator,
      diagnosis
    })
  })
  return {
    all,
    async checkSecrets() {
      await readSecrets(signatures, shared.log)
      warnAtStart(endpoints, signatures, shared.log)
    }
  }
}

/** How long the start waits for the functions for the secrets. */
const secretsMs = 2_000

/**
 * Calls the functions for the secrets, so that a mistake in them is reported at the start and not by every request. A
 * function that fails or is slow is called again for the first request: a start that hangs on a secret store would be
 * worse.
 * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET for a secret that cannot be used
 */
async function readSecrets(checks: readonly SignatureCheck[], log: Log): Promise<void> {
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
