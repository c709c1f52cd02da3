import { timingSafeEqual } from 'node:crypto'

import { RiverhookError } from '../../errors.ts'
import type { SourceRequest, Verdict, Verifier } from '../source.ts'
import { explain } from './explain.ts'
import { parseHeader, signatureHeader } from './header.ts'
import { signatureOf } from './sign.ts'

/**
 * Checks the secrets and gives the verifier. Every signature is compared with every secret, in constant time and without an
 * early end: during a rotation both sides may hold several, and their order is not documented.
 * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET
 */
export function verifier(secrets: readonly string[]): Verifier {
  secrets.forEach(checkSecret)
  if (secrets.length === 0) throw new RiverhookError('RIVERHOOK_SOURCE_SECRET', 'There is no signing secret in the list')
  return {
    verify: (request, now, toleranceMs) => verify(secrets, request, now, toleranceMs),
    explain: (request) => explain(secrets, request)
  }
}

function verify(secrets: readonly string[], { headers, body }: SourceRequest, now: Date, toleranceMs: number): Verdict {
  const value = headers[signatureHeader]
  if (value === undefined || value === '') {
    return { ok: false, reason: 'no_header', detail: 'the request has no DigitalRiver-Signature header' }
  }
  const header = parseHeader(typeof value === 'string' ? value : value.join(', '))
  if (!header.ok) return { ok: false, reason: 'malformed_header', detail: `the DigitalRiver-Signature header is malformed: ${header.detail}` }
  const { timestamp, signedAt, signatures } = header
  const given = signatures.map((signature) => Buffer.from(signature))
  let secret = 0
  secrets.forEach((candidate, index) => {
    const right = Buffer.from(signatureOf(candidate, timestamp, body))
    for (const signature of given) {
      if (signature.length === right.length && timingSafeEqual(signature, right)) secret = index + 1
    }
  })
  if (secret === 0) {
    const detail = `no secret matched (${signatures.length} in the header, ${secrets.length} configured)`
    return { ok: false, reason: 'no_match', detail }
  }
  const driftMs = now.getTime() - signedAt.getTime()
  if (Math.abs(driftMs) > toleranceMs) return { ok: false, reason: 'clock', detail: clockDetail(driftMs, toleranceMs) }
  return { ok: true, secret, signedAt, driftMs }
}

function clockDetail(driftMs: number, toleranceMs: number): string {
  const seconds = Math.abs(driftMs) / 1000
  const side = driftMs > 0 ? 'old' : 'in the future'
  return (
    `the signature is right, but its timestamp is ${seconds.toFixed(1)} s ${side} by this machine's clock (tolerance ${toleranceMs / 1000} s): ` +
    'the clock is wrong here, or the request was held up or replayed'
  )
}

function checkSecret(secret: unknown, index: number): void {
  if (typeof secret === 'string' && secret.trim() !== '') return
  throw new RiverhookError('RIVERHOOK_SOURCE_SECRET', `Signing secret number ${index + 1} is empty or not a string: is the variable that it comes from set?`)
}
