import { createHash, timingSafeEqual } from 'node:crypto'

/** Compares two texts in a time that tells nothing of where they differ: their digests have one length. */
export function isEqual(one: string, two: string): boolean {
  return timingSafeEqual(digest(one), digest(two))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
