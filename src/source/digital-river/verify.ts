import { checkSecrets } from '../../model/check-secrets.ts'
import type { Hmac } from '../../model/hmac.ts'
import { judgeTime } from '../judge-time.ts'
import type { Precheck, SourceRequest, Verdict, Verifier } from '../source.ts'
import { explain } from './explain.ts'
import { certainTime, readHeader, type SignedTime } from './header.ts'
import { isSignedWith, keyOf } from './sign.ts'

/** Synchronous, and reads only the headers and the body. */
export interface DigitalRiverVerifier extends Verifier {
  verify(request: SourceRequest, now: Date, toleranceMs: number): Verdict
  explain(request: SourceRequest): string | undefined
}

/**
 * Checks the secrets and returns the verifier. Compares every signature with every secret, in constant time: during a
 * rotation both sides may have several, and their order is not documented.
 * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET
 */
export function verifier(secrets: readonly string[]): DigitalRiverVerifier {
  checkSecrets(secrets)
  const keys = secrets.map(keyOf)
  return {
    verify: (request, now, toleranceMs) => verify(keys, request, now, toleranceMs),
    explain: (request) => explain(secrets, request)
  }
}

/** Checks the header without a secret. */
export function precheck(request: SourceRequest): Precheck {
  const header = readHeader(request)
  if (!header.ok) return header
  return {
    ok: true,
    signedAt: certainTime(header.times),
    isUnreadable: header.times.every(({ at }) => at === undefined)
  }
}

/** Compares the signatures first, then judges the time of the one that matches. */
function verify(keys: readonly Hmac[], request: SourceRequest, now: Date, toleranceMs: number): Verdict {
  const header = readHeader(request)
  if (!header.ok) return header
  const { times, signatures, items } = header
  let found: { readonly secret: number; readonly time: SignedTime } | undefined
  for (const time of times) {
    keys.forEach((key, index) => {
      if (isSignedWith(key, time.text, request.body, signatures)) found = { secret: index + 1, time }
    })
  }
  if (found === undefined) {
    const detail = `no secret matched (${items} in the header, ${keys.length} configured)`
    return { ok: false, reason: 'no_match', detail, signedAt: certainTime(times) }
  }
  const { secret, time } = found
  return judgeTime(secret, time.text, time.at, now, toleranceMs)
}
