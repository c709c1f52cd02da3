import { unwrapSecret } from '../model/unwrap.ts'

/**
 * Limits of the work for an unauthenticated request. Real events have about ten levels and ten thousand bytes. Depth is
 * limited because an indented copy grows with the square of the depth, and because serialising is recursive.
 */
const mostBytes = 131_072
const deepest = 100
/** Of one copy of the body. */
const mostCopied = 1_048_576
/** The bytes that are hashed: all copies, for all secrets. */
const mostHashed = 4_194_304

/** Whether the signature of the request would be right if this were the secret, and these the bytes of the body. */
export type IsSignedWith = (secret: string, bytes: Uint8Array) => boolean

/**
 * Explains, for the log, why no secret matched: a secret has white space or quotes around it, or the body was changed
 * on the way. Accepts nothing. Throws only what `isSignedWith` throws.
 * @returns a sentence, or undefined
 */
export function explainUnmatched(
  secrets: readonly string[],
  body: Uint8Array,
  isSignedWith: IsSignedWith
): string | undefined {
  if (body.byteLength > mostBytes) return undefined
  let hashed = 0
  const fits = (secret: string, bytes: Uint8Array): boolean => {
    hashed += bytes.byteLength
    return hashed <= mostHashed && isSignedWith(secret, bytes)
  }

  const wrapped = secrets.findIndex((secret) => unwrapSecret(secret) !== secret && fits(unwrapSecret(secret), body))
  if (wrapped !== -1)
    return `it matches without the white space or quotes around configured secret number ${wrapped + 1}: remove them from the configuration`
  for (const { how, bytes } of rewritings(body)) {
    if (secrets.some((secret) => fits(secret, bytes))) {
      return `the body was changed on the way: the signature matches after re-serialisation (${how}), so a proxy or middleware rewrote it`
    }
  }
  return undefined
}

/** Bodies that may have been sent, if something parsed and re-serialised the body or changed its line ends. */
function* rewritings(body: Uint8Array): Generator<{ how: string; bytes: Uint8Array }> {
  const text = Buffer.from(body).toString()
  const trimmed = text.trimEnd()
  yield { how: 'white space at its end', bytes: Buffer.from(trimmed) }
  yield { how: 'a line end at its end', bytes: Buffer.from(`${trimmed}\n`) }
  yield { how: 'a line end at its end', bytes: Buffer.from(`${trimmed}\r\n`) }
  yield { how: 'its line ends', bytes: Buffer.from(text.replaceAll('\r\n', '\n')) }
  yield { how: 'its line ends', bytes: Buffer.from(text.replaceAll(/\r?\n/g, '\r\n')) }
  const { depth, lines, steps } = measure(body)
  if (depth > deepest) return
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Not JSON, so nothing can have re-serialised it.
    return
  }
  yield { how: 'without white space', bytes: Buffer.from(JSON.stringify(value)) }
  yield { how: 'with a space after commas and colons', bytes: Buffer.from(spaced(value)) }
  for (const width of [2, 4]) {
    if (body.byteLength + 2 * lines + width * steps > mostCopied) return
    yield { how: `indented by ${width}`, bytes: Buffer.from(JSON.stringify(value, undefined, width)) }
  }
}

/**
 * Measures an indented copy of a JSON text in one pass over the bytes, without parsing: its depth, its most lines, and
 * the sum of their indents.
 */
function measure(body: Uint8Array): { readonly depth: number; readonly lines: number; readonly steps: number } {
  let [level, depth, lines, steps] = [0, 0, 0, 0]
  let isInText = false
  for (let index = 0; index < body.length; index += 1) {
    const character = body[index]
    if (isInText) {
      if (character === 0x5c)
        index += 1 // a backslash: the next character belongs to the text, whatever it is
      else if (character === 0x22) isInText = false
      continue
    }
    if (character === 0x22) isInText = true
    const isOpening = character === 0x5b || character === 0x7b
    const isClosing = character === 0x5d || character === 0x7d
    if (!isOpening && !isClosing && character !== 0x2c) continue
    level += isOpening ? 1 : isClosing ? -1 : 0
    depth = Math.max(depth, level)
    lines += 1
    steps += Math.max(0, level)
  }
  return { depth, lines, steps }
}

/** JSON as Python writes it. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, item]) => `${JSON.stringify(name)}: ${spaced(item)}`)
    .join(', ')}}`
}
