import { mayHaveEscapes, unescaped } from './escapes.ts'
import { replaceSpans, spanOf, type Span } from './text-view.ts'

/** The sign and the domain. It ends with letters: `react@18.2.0` is no address. */
const domain = /@(?:[\p{L}\p{N}\p{M}-]{1,63}\.){1,9}(?:[xX][nN]--[a-zA-Z\d-]{2,59}|\p{L}[\p{L}\p{M}]{1,62})/gu

/** Before the sign, in characters. */
const longestLocal = 64

/**
 * Finds the e-mail addresses in a text, also where their characters are escaped: `ada%40x.example`. An address may be
 * found twice. Takes a time that is linear in the length of the text.
 */
export function* addressesIn(text: string): Generator<{ readonly address: string; readonly span: Span }> {
  for (let span = nextAddress(text, 0); span !== undefined; span = nextAddress(text, span[1]))
    yield { address: text.slice(...span), span }
  if (!mayHaveEscapedSign(text)) return
  const view = unescaped(text)
  for (let span = nextAddress(view.text, 0); span !== undefined; span = nextAddress(view.text, span[1]))
    yield { address: view.text.slice(...span), span: spanOf(view, ...span) }
}

/** Whether an e-mail address is in a text. */
export function hasAddress(text: string): boolean {
  if (nextAddress(text, 0) !== undefined) return true
  return mayHaveEscapedSign(text) && nextAddress(unescaped(text).text, 0) !== undefined
}

/** Hides each e-mail address in a text. */
export function hideAddresses(text: string, by: string): string {
  return replaceSpans(
    text,
    Array.from(addressesIn(text), ({ span }) => span),
    by
  )
}

function mayHaveEscapedSign(text: string): boolean {
  return mayHaveEscapes(text) && /40|64|commat/i.test(text)
}

function nextAddress(text: string, from: number): Span | undefined {
  const first = text.indexOf('@', from)
  if (first === -1) return undefined
  domain.lastIndex = first
  for (let found = domain.exec(text); found !== null; found = domain.exec(text)) {
    const { index } = found
    const least = Math.max(0, index - longestLocal)
    let start = index
    while (start > least && isLocal(text.charCodeAt(start - 1))) start -= 1
    if (start < index) return [start, domain.lastIndex]
  }
  return undefined
}

/** Whether a code unit may be in an address before the sign. */
function isLocal(code: number): boolean {
  if (code < 0x80) return code > 0x20 && !noLocal.has(code)
  return code !== 0xa0 && !(code >= 0x2000 && code <= 0x200a) && code !== 0x2028 && code !== 0x2029 && code !== 0x3000
}

const noLocal: ReadonlySet<number> = new Set(Array.from('@<>()[]{},;:="\'\x7f', (sign) => sign.charCodeAt(0)))
