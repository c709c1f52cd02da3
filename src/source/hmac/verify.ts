import { checkSecrets } from '../../model/check-secrets.ts'
import { RiverhookError } from '../../model/errors.ts'
import { explainUnmatched } from '../explain-unmatched.ts'
import { judgeTime } from '../judge-time.ts'
import type { Precheck, SourceRequest, Verdict, Verifier } from '../source.ts'
import type { SignedHeaders } from './read-header.ts'
import { UnusableSecret, type Key, type Scheme } from './scheme.ts'
import { fill, type Template } from './template.ts'

/** Synchronous, and reads only the headers and the body. */
export interface SyncVerifier extends Verifier {
  verify(request: SourceRequest, now: Date, toleranceMs: number): Verdict
  explain(request: SourceRequest): string | undefined
}

/** How the requests of one source are verified. */
export interface Verification {
  readonly scheme: Scheme
  readonly template: Template
  readonly signsTime: boolean
  readonly readHeaders: (request: SourceRequest) => SignedHeaders
}

type Signed = Extract<SignedHeaders, { ok: true }>

/** @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET, which names a secret by its position only */
export function makeVerifier(
  { scheme, template, signsTime, readHeaders }: Verification,
  secrets: readonly string[]
): SyncVerifier {
  checkSecrets(secrets)
  const keys = secrets.map((secret, index) => keyAt(scheme, secret, index + 1))
  const isSigned = (key: Key, headers: Signed, body: Uint8Array): boolean =>
    key.matches(fill(template, { ...headers, body }), headers.signatures.get(key.kind) ?? [])

  return {
    verify(request, now, toleranceMs) {
      const headers = readHeaders(request)
      if (!headers.ok) return headers
      // Try all secrets even after a match, so that the time it takes reveals nothing.
      const matching = keys.map((key) => isSigned(key, headers, request.body))
      const secret = matching.indexOf(true) + 1
      const { count, timestamp, at } = headers
      if (secret === 0) {
        const detail = `no secret matched (${count} in the header, ${keys.length} configured)`
        return { ok: false, reason: 'no_match', detail, signedAt: at }
      }
      return signsTime ? judgeTime(secret, timestamp, at, now, toleranceMs) : { ok: true, secret }
    },

    explain(request) {
      const headers = readHeaders(request)
      if (!headers.ok) return undefined
      return explainUnmatched(secrets, request.body, (secret, bytes) => {
        const key = keyIfUsable(scheme, secret)
        return key !== undefined && isSigned(key, headers, bytes)
      })
    }
  }
}

/** Checks the headers without a secret. */
export function makePrecheck({
  signsTime,
  readHeaders
}: Pick<Verification, 'signsTime' | 'readHeaders'>): (request: SourceRequest) => Precheck {
  return (request) => {
    const headers = readHeaders(request)
    return headers.ok
      ? { ok: true, signedAt: headers.at, isUnreadable: signsTime && headers.at === undefined }
      : headers
  }
}

/** @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET */
export function keyAt(scheme: Scheme, secret: string, position: number): Key {
  try {
    return scheme.keyOf(secret)
  } catch (error) {
    if (!(error instanceof UnusableSecret)) throw error
    throw new RiverhookError('RIVERHOOK_SOURCE_SECRET', `Signing secret number ${position} ${error.message}`)
  }
}

function keyIfUsable(scheme: Scheme, secret: string): Key | undefined {
  try {
    return scheme.keyOf(secret)
  } catch (error) {
    if (error instanceof UnusableSecret) return undefined
    throw error
  }
}
