import { visible } from './visible.ts'

/** In characters: what follows in a longer error does not count. */
const longestRead = 1_000
const longestShape = 200

/**
 * The part of an error that others of its kind share: its text without the parts that differ by event. E-mail
 * addresses, quoted texts, ids and numbers are replaced by `<email>`, `<text>` and `#`. The status of an HTTP answer
 * stays. Never throws. Takes a bounded time for any text.
 */
export function errorShape(text: string): string {
  const shape = replacements
    .reduce((rest, [pattern, by]) => rest.replace(pattern, by), visible(text.slice(0, longestRead).toWellFormed()))
    .replaceAll(/\s+/g, ' ')
    .trim()
  return shape.length <= longestShape ? shape : `${shape.slice(0, longestShape - 1).toWellFormed()}…`
}

/** In this order: an id may be in a quoted text, and a number in an id. */
const replacements: readonly (readonly [pattern: RegExp, by: string])[] = [
  [/"[^"]*(?:"|$)|`[^`]*(?:`|$)|(?<![\p{L}\p{N}])'[^']*(?:'(?![\p{L}\p{N}])|$)/gu, '<text>'],
  [/[^\s@<>()[\]{},;:=]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){0,8}/gu, '<email>'],
  [/(?<![\p{L}\p{N}])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\p{L}\p{N}])/giu, '#'],
  [/(?<![\p{L}\p{N}])[0-9a-f]{8,}(?![\p{L}\p{N}])/giu, '#'],
  // Letters and digits mixed, such as the end of `evt_1NXWPn`. Shorter ones may be names, such as HTTP2.
  [/(?<![A-Za-z0-9])(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{8,}(?![A-Za-z0-9])/g, '#'],
  // All numbers but the status of an HTTP answer: two errors differ by it.
  [
    /(?<!\p{Nd})(?!(?<=\b(?:answered|status|status code|code|HTTP|HTTP\/[\d.]{1,3}) )[1-5]\d\d(?!\p{Nd}))\p{Nd}+(?:[.,:]\p{Nd}+)*/giu,
    '#'
  ]
]
