import fc from 'fast-check'

/**
 * Any text, including control characters, lone surrogates and characters that no keyboard has. The `binary` unit of
 * fast-check first builds a table of a million characters, which takes seconds.
 */
export function anyText(
  limits: { readonly minLength?: number; readonly maxLength?: number } = {}
): fc.Arbitrary<string> {
  return fc.string({ ...limits, unit: fc.nat({ max: 0x10ffff }).map((code) => String.fromCodePoint(code)) })
}
