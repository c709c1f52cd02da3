/** In characters. A longer text is no number here. */
const longestDecimal = 400

interface Decimal {
  readonly sign: -1 | 0 | 1
  /** The place of the first digit: 1 for a number from 1 to below 10. */
  readonly place: number
  /** Its digits, without zeros at the beginning and at the end. */
  readonly digits: string
}

/**
 * Compares two numbers as they are written in JSON, by all their digits.
 * @returns a number below, equal to or above 0; undefined if one of the texts is no number
 */
export function compareDecimals(one: string, other: string): number | undefined {
  const [a, b] = [readDecimal(one), readDecimal(other)]
  if (a === undefined || b === undefined) return undefined
  if (a.sign !== b.sign) return a.sign - b.sign
  if (a.place !== b.place) return a.sign * (a.place - b.place)
  // Of two texts of digits after the same point, the greater number is the later text.
  return a.digits === b.digits ? 0 : a.digits > b.digits ? a.sign : -a.sign
}

function readDecimal(text: string): Decimal | undefined {
  if (text.length > longestDecimal) return undefined
  const [, minus, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,12}))?$/.exec(text) ?? []
  if (minus === undefined) return undefined
  const all = `${whole}${fraction}`
  const significant = all.replace(/^0+/, '')
  const digits = significant.replace(/0+$/, '')
  if (digits === '') return { sign: 0, place: 0, digits }
  const place = whole.length - (all.length - significant.length) + Number(exponent)
  return { sign: minus === '' ? 1 : -1, place, digits }
}
