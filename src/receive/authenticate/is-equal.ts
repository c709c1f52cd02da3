import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Compares a sender's value with each expected value in constant time, through digests of equal length. Compares bytes,
 * not decoded text: invalid UTF-8 would decode to U+FFFD and be equal.
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
