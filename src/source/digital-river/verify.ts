import { checkSecrets } from '../../model/check-secrets.ts'
import type { Precheck, SourceRequest, Verdict, Verifier } from '../source.ts'
import { explain } from './explain.ts'
import { certainTime, readHeader, type SignedTime } from './header.ts'
import { isSignedWith } from './sign.ts'

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
  return {
    verify: (request, now, toleranceMs) => verify(secrets, request, now, toleranceMs),
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
function verify(secrets: readonly string[], request: SourceRequest, now: Date, toleranceMs: number): Verdict {
  const header = readHeader(request)
  if (!header.ok) return header
  const { times, signatures, items } = header
  let found: { readonly secret: number; readonly time: SignedTime } | undefined
  for (const time of times) {
    secrets.forEach((secret, index) => {
      if (isSignedWith(secret, time.text, request.body, signatures)) found = { secret: index + 1, time }
    })
  }
  if (found === undefined) {
    const detail = `no secret matched (${items} in the header, ${secrets.length} configured)`
    return { ok: false, reason: 'no_match', detail, signedAt: certainTime(times) }
  }
  const { secret, time } = found
  if (time.at === undefined)
    return { ok: false, reason: 'unreadable_time', secret, detail: unreadableDetail(time.text) }
  const skewMs = now.getTime() - time.at.getTime()
  // Written so that NaN is refused.
  if (Math.abs(skewMs) <= toleranceMs) return { ok: true, secret, signedAt: time.at, skewMs }
  return { ok: false, reason: 'clock', detail: clockDetail(time.text, skewMs, toleranceMs) }
}

function clockDetail(text: string, skewMs: number, toleranceMs: number): string {
  const seconds = Math.abs(skewMs) / 1000
  const side = skewMs > 0 ? 'old' : 'in the future'
  return (
    `the signature is right, but its timestamp ${quote(text)} is ${seconds.toFixed(1)} s ${side} by this machine's clock (tolerance ${toleranceMs / 1000} s): ` +
    'the clock of this machine is wrong, or the request was delayed or replayed'
  )
}

function unreadableDetail(text: string): string {
  return (
    `the signature is right, but its timestamp ${quote(text)} cannot be read as a time; ` +
    "set timestamps to 'any' (RIVERHOOK_TIMESTAMPS=any) to accept such requests"
  )
}

/** Escapes a time for the log: it is not secret, but the sender chose the text. */
function quote(text: string): string {
  const shown = text.length > 64 ? `${text.slice(0, 64)}...` : text
  return `"${shown.replace(/[^\x20-\x7e]|["\\]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`
}
