import type { FastifyInstance } from 'fastify'

import type { Log } from '../log.ts'
import { createAuthenticator, type Checks } from './authenticate.ts'
import { Diagnosis } from './diagnose.ts'
import { receiveRoute, type RouteOptions } from './route.ts'
import type { SignatureCheck } from './signature-check.ts'

/** An endpoint with every setting filled in. */
export type EndpointSettings = Checks & Pick<RouteOptions, 'path' | 'bodyLimit' | 'ackTimeout' | 'validate'>

/** What all endpoints of one plugin share. */
export type Shared = Omit<RouteOptions, 'path' | 'bodyLimit' | 'ackTimeout' | 'validate' | 'authenticator' | 'diagnosis'>

/**
 * Registers the route of each endpoint in a scope of its own.
 * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET
 */
export async function receiveAt(scope: FastifyInstance, endpoints: readonly EndpointSettings[], shared: Shared): Promise<void> {
  const authenticators = endpoints.map((endpoint) => createAuthenticator(endpoint, shared.source))
  const signatures = authenticators.flatMap(({ signature }) => signature ?? [])
  const diagnosis = new Diagnosis(signatures)
  for (const [index, { path, bodyLimit, ackTimeout, validate }] of endpoints.entries()) {
    const authenticator = authenticators[index]
    if (authenticator === undefined) continue
    await scope.register((own, _options, done) => {
      receiveRoute(own, { ...shared, path, bodyLimit, ackTimeout, validate, authenticator, diagnosis })
      done()
    })
  }
  scope.addHook('onReady', () => warnOfSharedSecrets(signatures, shared.log))
}

/** One secret at two endpoints is a copying mistake more often than not: every webhook has a secret of its own. */
async function warnOfSharedSecrets(checks: readonly SignatureCheck[], log: Log): Promise<void> {
  if (checks.length < 2) return
  for (const check of checks) {
    // A secrets function that fails now is asked again at the first request; the start does not hang on it.
    await check.refresh().catch((error: unknown) => { log.warn({ err: error, endpoint: check.path }, 'the secrets could not be read yet') })
  }
  for (const [index, check] of checks.entries()) {
    const twin = checks.slice(index + 1).find(({ secrets }) => secrets.some((secret) => check.secrets.includes(secret)))
    if (twin === undefined) continue
    log.warn({ endpoints: [check.path, twin.path] }, 'two endpoints share a signing secret: are test and live mixed up? Each webhook has its own')
  }
}
