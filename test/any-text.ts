import fc from 'fast-check'

/**
 * Any text: also control characters, lone surrogates and what is in no plane that a keyboard knows. fast-check's own
 * `binary` unit makes a table of a million characters first, which takes seconds.
 */
export function anyText(
  limits: { readonly minLength?: number; readonly maxLength?: number } = {}
): fc.Arbitrary<string> {
  return fc.string({ ...limits, unit: fc.nat({ max: 0x10ffff }).map((code) => String.fromCodePoint(code)) })
}
