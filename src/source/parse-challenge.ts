import { isPlainObject } from '../model/option-rules.ts'
import { parseJson } from './parse-json.ts'

/** In bytes. A challenge has a few hundred. */
const longestChallenge = 16_384

/**
 * Parses a body that may be a challenge: a small JSON object that contains a text, such as the challenge's type. Other
 * bodies are not parsed.
 * @returns undefined if the body cannot be the challenge
 */
export function parseChallenge(body: Uint8Array, text: string): Readonly<Record<string, unknown>> | undefined {
  if (body.length > longestChallenge) return undefined
  if (!Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes(text)) return undefined
  const parsed = parseJson(body)
  return parsed.ok && isPlainObject(parsed.value) ? parsed.value : undefined
}
