/**
 * The header `Retry-After` in milliseconds from now: whole seconds or an HTTP date; 0 for anything else, and for a time
 * that has passed.
 * @param now milliseconds since the epoch
 */
export function retryAfterMs(header: string | null | undefined, now: number): number {
  const text = header?.trim() ?? ''
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Only a text with the name of a day is a date: Date.parse would also read "-5" or "1.5". The oldest of the three
  // formats (asctime) has no time zone, and Date.parse would take this machine's.
  const isDate = /^[A-Z][a-z]{2,8},? /.test(text)
  const at = isDate ? Date.parse(/ \d{4}$/.test(text) ? `${text} GMT` : text) : NaN
  return Number.isNaN(at) ? 0 : Math.max(0, at - now)
}
