/** How much of one text of the provider goes into an error. */
const longest = 500

/**
 * A function that makes a foreign text fit for a log: every secret in it, as it is or as it looks inside JSON, a URL or
 * Base64, becomes `***`; control characters become spaces; what is too long is cut. The provider may quote what it was
 * sent.
 */
export function masker(secrets: readonly string[]): (text: string) => string {
  const shapes = new Set(secrets.flatMap(shapesOf).filter((shape) => shape !== ''))
  // The longest first: a secret that is part of another one would leave the rest of it readable.
  const ordered = [...shapes].sort((a, b) => b.length - a.length)
  return (text) => {
    const masked = ordered.reduce((rest, shape) => rest.replaceAll(shape, '***'), text)
    const plain = masked.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()
    // Cut after masking: half a secret would not be recognised.
    return plain.length > longest ? `${plain.slice(0, longest)} ...` : plain
  }
}

function shapesOf(secret: string): string[] {
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
