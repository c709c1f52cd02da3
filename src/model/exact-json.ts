/** The text of a number, of which `JSON.stringify` writes every digit. None of it is in TypeScript's library yet. */
const { rawJSON, isRawJSON } = JSON as unknown as {
  readonly rawJSON?: (text: string) => unknown
  readonly isRawJSON?: (value: unknown) => boolean
}

/**
 * Parses JSON so that `JSON.stringify` writes its numbers with all their digits: an id beyond 2^53 stays the same. Such
 * a number is an object here, not a number.
 * @param leastLength numbers with a shorter text stay numbers. Default: none
 * @throws {SyntaxError} if the text is not JSON
 * @throws {RangeError} if it is nested too deeply
 */
export function parseExactText(text: string, leastLength = 0): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source
    const isExact = typeof value === 'number' && source !== undefined && source.length >= leastLength
    return isExact && rawJSON !== undefined ? rawJSON(source) : value
  })
}

/** True for a number in the result of `parseExactText`. */
export function isExactNumber(value: unknown): boolean {
  return typeof value === 'number' || isRawJSON?.(value) === true
}
