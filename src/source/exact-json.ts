import { parseExactText } from '../model/exact-json.ts'
import { parseJson } from './parse-json.ts'

/**
 * Returns the text of a JSON body, without a byte order mark. Never throws.
 * @returns undefined if the body is not JSON
 */
export function jsonText(body: Uint8Array): string | undefined {
  // It also refuses invalid UTF-8, which would be replaced below.
  if (!parseJson(body).ok) return undefined
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    .toString()
    .replace(/^\ufeff/, '')
}

/**
 * Parses JSON for a source that splits it: see `parseExactText`. Never throws.
 * @returns undefined if the body is not JSON, or is nested too deeply
 */
export function parseExactJson(body: Uint8Array): unknown {
  const text = jsonText(body)
  if (text === undefined) return undefined
  try {
    return parseExactText(text)
  } catch {
    return undefined
  }
}
