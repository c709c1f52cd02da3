import type { SourceRequest } from '../source.ts'
import { parseHeader, signatureHeader } from './header.ts'
import { signatureOf } from './sign.ts'

/**
 * Looks for why no secret matched: a secret that was copied with something around it, or a body that was rewritten on the
 * way. Only for the log: nothing is accepted because of it. @returns a sentence, or undefined
 */
export function explain(secrets: readonly string[], { headers, body }: SourceRequest): string | undefined {
  const value = headers[signatureHeader]
  const header = typeof value === 'string' ? parseHeader(value) : undefined
  if (header?.ok !== true) return undefined
  const { timestamp, signatures } = header
  const fits = (secret: string, bytes: Uint8Array): boolean => signatures.includes(signatureOf(secret, timestamp, bytes))

  const wrapped = secrets.findIndex((secret) => stripped(secret) !== secret && fits(stripped(secret), body))
  if (wrapped !== -1) return `it matches once the white space or quotes around configured secret number ${wrapped + 1} are taken away: mend the configuration`
  for (const { how, bytes } of rewritings(body)) {
    if (secrets.some((secret) => fits(secret, bytes))) {
      return `the body was changed on the way: the signature matches after re-serialisation (${how}), so a proxy or middleware rewrote it`
    }
  }
  return undefined
}

/** Each end for itself: of a list in quotes, the first secret has one and the last has the other. */
function stripped(secret: string): string {
  return secret.trim().replace(/^["']/, '').replace(/["']$/, '').trim()
}

/** What the body may have looked like before something parsed it and wrote it anew, or changed its line ends. */
function* rewritings(body: Uint8Array): Generator<{ how: string; bytes: Uint8Array }> {
  const text = Buffer.from(body).toString()
  const trimmed = text.trimEnd()
  yield { how: 'white space at its end', bytes: Buffer.from(trimmed) }
  yield { how: 'a line end at its end', bytes: Buffer.from(`${trimmed}\n`) }
  yield { how: 'a line end at its end', bytes: Buffer.from(`${trimmed}\r\n`) }
  yield { how: 'its line ends', bytes: Buffer.from(text.replaceAll('\r\n', '\n')) }
  yield { how: 'its line ends', bytes: Buffer.from(text.replaceAll(/\r?\n/g, '\r\n')) }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Not JSON: nothing can have parsed it and written it anew.
    return
  }
  yield { how: 'without white space', bytes: Buffer.from(JSON.stringify(value)) }
  yield { how: 'indented by 2', bytes: Buffer.from(JSON.stringify(value, undefined, 2)) }
  yield { how: 'indented by 4', bytes: Buffer.from(JSON.stringify(value, undefined, 4)) }
  yield { how: 'with a space after commas and colons', bytes: Buffer.from(spaced(value)) }
}

/** JSON as Python writes it. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${spaced(item)}`).join(', ')}}`
}
