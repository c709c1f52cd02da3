import { randomBytes } from 'node:crypto'

const size = 1_500
const random = Buffer.from(randomBytes(100_000).toString('hex'))

/** The body of the event with this number: as long as a usual one, and not compressible to nothing. */
export function bodies(number: number): Buffer {
  const start = (number * 7) % (random.length - size)
  return random.subarray(start, start + size)
}
