import { parseJson } from './parse-json.ts'

/** The text of a number, of which `JSON.stringify` writes every digit. Neither is in TypeScript's library yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON?: (text: string) => unknown }

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
 * Parses JSON for a source that splits it: `JSON.stringify` of a part writes its numbers with all their digits. So an
 * id beyond 2^53 stays the same. Such a number is an object here, not a number. Never throws.
 * @returns undefined if the body is not JSON, or is nested too deeply
 */
export function parseExactJson(body: Uint8Array): unknown {
  const text = jsonText(body)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' && context?.source !== undefined && rawJSON !== undefined
        ? rawJSON(context.source)
        : value
    )
  } catch {
    return undefined
  }
}
