import { timingSafeEqual } from 'node:crypto'

import { Hmac } from '../../model/hmac.ts'

/**
 * The signature: HMAC-SHA256 over the timestamp's text, a full stop and the exact body, keyed with the secret's text,
 * in standard Base64. (From the provider's Salesforce connector: working code, not a specification.)
 */
export function signatureOf(key: Hmac, timestamp: string, body: Uint8Array): string {
  return key.of([`${timestamp}.`, body], 'base64')
}

/** Prepares a secret for `signatureOf`. */
export function keyOf(secret: string): Hmac {
  return new Hmac('sha256', secret)
}

/**
 * Whether one of the signatures was made with the secret. Compares all of them, in constant time.
 */
export function isSignedWith(key: Hmac, timestamp: string, body: Uint8Array, signatures: readonly Buffer[]): boolean {
  if (signatures.length === 0) return false
  const right = Buffer.from(signatureOf(key, timestamp, body))
  return signatures.filter((given) => given.length === right.length && timingSafeEqual(given, right)).length > 0
}
