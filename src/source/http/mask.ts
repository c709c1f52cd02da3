/** The longest text of the provider in an error, in characters. */
const longest = 500

/**
 * Returns a function that makes a text from outside safe for a log. It replaces every secret, also as written in JSON,
 * a URL or Base64, by `***`, replaces control characters by spaces, and cuts long texts. The provider may quote what it
 * was sent.
 */
export function masker(secrets: readonly string[]): (text: string) => string {
  const shapes = new Set(secrets.flatMap(writtenForms).filter((shape) => shape !== ''))
  // The longest first: if a secret is part of another one, the rest of that would stay readable.
  const ordered = [...shapes].sort((a, b) => b.length - a.length)
  return (text) => {
    const masked = ordered.reduce((rest, shape) => rest.replaceAll(shape, '***'), text)
    const plain = masked.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
    // Cut after masking: a cut secret would not be recognised.
    return plain.length > longest ? `${plain.slice(0, longest)} ...` : plain
  }
}

function writtenForms(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64')
  return [
    secret,
    // A lone surrogate has no URL form, and encodeURIComponent would throw.
    encodeURIComponent(secret.toWellFormed()),
    new URLSearchParams([['', secret]]).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    base64,
    base64.replace(/=+$/, '')
  ]
}
