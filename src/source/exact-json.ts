import { parseJson } from './parse-json.ts'

/** The text of a number, of which `JSON.stringify` writes every digit. Neither is in TypeScript's library yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON?: (text: string) => unknown }

/**
 * Parses JSON for a source that splits it: `JSON.stringify` of a part writes its numbers with all their digits. So an
 * id beyond 2^53 stays the same. Such a number is an object here, not a number. Never throws.
 * @returns undefined if the body is not JSON, or is nested too deeply
 */
export function parseExactJson(body: Uint8Array): unknown {
  // It also refuses invalid UTF-8, which would be replaced below.
  if (!parseJson(body).ok) return undefined
  try {
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()
    return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' && context?.source !== undefined && rawJSON !== undefined
        ? rawJSON(context.source)
        : value
    )
  } catch {
    return undefined
  }
}
