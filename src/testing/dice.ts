import { hash, randomBytes } from 'node:crypto'

/** Repeatable random values: the same seed gives the same values in the same order. */
export interface Dice {
  /** From `least` to `most`, both included. */
  whole(least: number, most: number): number
  pick<Value>(values: readonly [Value, ...Value[]]): Value
  digits(count: number): string
  /** A UUID of version 4 in its form. */
  uuid(): string
}

/** @param seed without one, all values are new */
export function createDice(seed: number | string = randomBytes(16).toString('hex')): Dice {
  let thrown = 0
  // A hash of the seed and a counter: slower than a generator, but simple.
  const bytes = (): Buffer => hash('sha256', `${seed}/${thrown++}`, 'buffer')
  // The rest of a hash, which has four numbers.
  let left: Buffer = Buffer.alloc(0)
  const whole = (least: number, most: number): number => {
    if (left.length === 0) left = bytes()
    const number = left.readBigUInt64BE()
    left = left.subarray(8)
    return least + Number(number % BigInt(most - least + 1))
  }
  return {
    whole,
    pick: (values) => values[whole(0, values.length - 1)] ?? values[0],
    digits: (count) => Array.from({ length: count }, (_, index) => whole(index === 0 ? 1 : 0, 9)).join(''),
    uuid() {
      const hex = bytes().toString('hex')
      return [
        hex.slice(0, 8),
        hex.slice(8, 12),
        `4${hex.slice(13, 16)}`,
        `a${hex.slice(17, 20)}`,
        hex.slice(20, 32)
      ].join('-')
    }
  }
}
