import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Compares what a sender gives with each of the right values, in a time that shows nothing of where they differ: digests are compared, as they
 * have one length. Bytes are compared, and not the text that they are decoded to: what is no UTF-8 would be equal to U+FFFD.
 */
export function equalsOneOf(wanted: readonly string[]): (given: string | Uint8Array) => boolean {
  const digests = wanted.map(digest)
  return (given) => {
    const own = digest(given)
    return digests.filter((right) => timingSafeEqual(own, right)).length > 0
  }
}

function digest(value: string | Uint8Array): Buffer {
  return createHash('sha256').update(value).digest()
}
