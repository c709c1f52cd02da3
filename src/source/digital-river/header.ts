/** The header that Digital River signs with, in lower case as Node gives it. Documented by the provider. */
export const signatureHeader = 'digitalriver-signature'

export type Header =
  | { readonly ok: true; readonly timestamp: string; readonly signedAt: Date; readonly signatures: readonly string[] }
  | { readonly ok: false; readonly detail: string }

const expected =
  'expected "<timestamp>, <signature>": the timestamp in seconds, milliseconds or as ISO 8601, then one or more Base64 signatures'

/** Integers below it are seconds (until the year 5138), others milliseconds (since 1973). */
const leastMilliseconds = 1e11

/**
 * Reads `<timestamp>, <signature>[, <signature> ...]`. The provider names no format for the timestamp, so the likely
 * ones are read; its text is kept, because the text is what was signed. Never throws.
 */
export function parseHeader(value: string): Header {
  const [timestamp = '', ...rest] = value.split(',').map((item) => item.trim())
  const signedAt = parseTimestamp(timestamp)
  const signatures = rest.filter((item) => item !== '')
  if (signedAt === undefined) return { ok: false, detail: `its timestamp cannot be read; ${expected}` }
  if (signatures.length === 0) return { ok: false, detail: `it holds no signature; ${expected}` }
  return { ok: true, timestamp, signedAt, signatures }
}

function parseTimestamp(text: string): Date | undefined {
  if (/^\d{1,15}$/.test(text)) {
    const number = Number(text)
    return new Date(number < leastMilliseconds ? number * 1000 : number)
  }
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/.test(text)) return undefined
  const date = new Date(text)
  return Number.isNaN(date.getTime()) ? undefined : date
}
