import { createHmac } from 'node:crypto'

/**
 * The signature: HMAC-SHA256 over the timestamp's text, a full stop and the exact body, keyed with the secret's text, in standard
 * Base64. (From the provider's Salesforce connector: working code, not a specification.)
 */
export function signatureOf(secret: string, timestamp: string, body: Uint8Array): string {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('base64')
}
