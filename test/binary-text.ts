import fc from 'fast-check'

/** The code points between the surrogates and the end of Unicode come after those before the surrogates. */
const [firstSurrogate, surrogates, codePoints] = [0xd8_00, 0x8_00, 0x11_00_00]

const codePoint = fc.integer({ min: 0, max: codePoints - surrogates - 1 }).map(
  (index) => String.fromCodePoint(index < firstSurrogate ? index : index + surrogates),
  (text) => {
    const point = typeof text === 'string' ? (text.codePointAt(0) ?? -1) : -1
    const isSurrogate = point >= firstSurrogate && point < firstSurrogate + surrogates
    if (point < 0 || isSurrogate || String.fromCodePoint(point) !== text) throw new TypeError('not one code point')
    return point < firstSurrogate ? point : point - surrogates
  }
)

/**
 * `fc.string({ unit: 'binary' })`: the same texts, of any code points but halves of one. For its own, fast-check makes
 * a table of all code points, which takes a process a second.
 */
export const binaryText = (constraints: Omit<fc.StringConstraints, 'unit'> = {}): fc.Arbitrary<string> =>
  fc.string({ ...constraints, unit: codePoint })
