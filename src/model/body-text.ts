import { isUtf8 } from 'node:buffer'

/** A stored body as text. A quarantined request may hold any bytes. */
export interface BodyText {
  readonly encoding: 'json' | 'text' | 'base64'
  /** For `json`, the text as it arrived: its numbers are exact, and no depth overflows the stack. */
  readonly text: string
}

export function readBodyText(body: Uint8Array): BodyText {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (!isUtf8(bytes)) return { encoding: 'base64', text: bytes.toString('base64') }
  const text = bytes.toString()
  return { encoding: isJson(text) ? 'json' : 'text', text }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
