import { isUtf8 } from 'node:buffer'

import secureJson from 'secure-json-parse'

import type { Reading } from './source.ts'

/**
 * Parses the JSON in a body: strict UTF-8, and without keys such as `__proto__`. Never throws. The reason of a refusal
 * quotes nothing of the body, which may hold personal data.
 */
export function parseJson(
  body: Uint8Array
): { readonly ok: true; readonly value: unknown } | Extract<Reading, { ok: false }> {
  if (!isUtf8(body)) {
    return { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENCODING', message: 'The body is not valid UTF-8' }
  }
  try {
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()
    // Drop keys such as __proto__ instead of refusing them: an extra field never makes an event invalid.
    const value: unknown = secureJson.parse(text, undefined, { protoAction: 'remove', constructorAction: 'remove' })
    return { ok: true, value }
  } catch {
    return { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_JSON', message: 'The body is not valid JSON' }
  }
}
