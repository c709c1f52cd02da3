import type { Verdict } from './source.ts'

/**
 * Judges the signed time of a request whose signature matches.
 * @param secret the position of the secret that matched, counted from 1
 * @param text the time as it was sent
 * @param at undefined where the text cannot be read as a time
 */
export function judgeTime(secret: number, text: string, at: Date | undefined, now: Date, toleranceMs: number): Verdict {
  if (at === undefined) return { ok: false, reason: 'unreadable_time', secret, detail: unreadableDetail(text) }
  const skewMs = now.getTime() - at.getTime()
  // Written so that NaN is refused.
  if (Math.abs(skewMs) <= toleranceMs) return { ok: true, secret, signedAt: at, skewMs }
  return { ok: false, reason: 'clock', detail: clockDetail(text, skewMs, toleranceMs) }
}

function clockDetail(text: string, skewMs: number, toleranceMs: number): string {
  const seconds = Math.abs(skewMs) / 1000
  const side = skewMs > 0 ? 'old' : 'in the future'
  return (
    `the signature is right, but its timestamp ${quote(text)} is ${seconds.toFixed(1)} s ${side} by this machine's clock (tolerance ${toleranceMs / 1000} s): ` +
    'the clock of this machine is wrong, or the request was delayed or replayed'
  )
}

function unreadableDetail(text: string): string {
  return (
    `the signature is right, but its timestamp ${quote(text)} cannot be read as a time; ` +
    "set timestamps to 'any' (RIVERHOOK_TIMESTAMPS=any) to accept such requests"
  )
}

/** Escapes a time for the log: it is not secret, but the sender chose the text. */
function quote(text: string): string {
  const shown = text.length > 64 ? `${text.slice(0, 64)}...` : text
  return `"${shown.replace(/[^\x20-\x7e]|["\\]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`
}
