import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * The signature: HMAC-SHA256 over the timestamp's text, a full stop and the exact body, keyed with the secret's text,
 * in standard Base64. (From the provider's Salesforce connector: working code, not a specification.)
 */
export function signatureOf(secret: string, timestamp: string, body: Uint8Array): string {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('base64')
}

/**
 * Whether one of the signatures was made with the secret. Compares all of them, in constant time.
 */
export function isSignedWith(
  secret: string,
  timestamp: string,
  body: Uint8Array,
  signatures: readonly Buffer[]
): boolean {
  if (signatures.length === 0) return false
  const right = Buffer.from(signatureOf(secret, timestamp, body))
  return signatures.filter((given) => given.length === right.length && timingSafeEqual(given, right)).length > 0
}
