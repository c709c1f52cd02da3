/** A form of a text, with the place of each of its UTF-16 code units in the text. */
export interface TextView {
  readonly text: string
  readonly starts: ArrayLike<number>
  readonly ends: ArrayLike<number>
}

/** Part of a text: from the first code unit to before the second one. */
export type Span = readonly [start: number, end: number]

/** Finds the part of the original text that a part of the view shows. */
export function spanOf({ starts, ends }: TextView, start: number, end: number): Span {
  return [starts[start] ?? 0, ends[end - 1] ?? 0]
}

/** Returns the text of code units. */
export function textOf(units: ArrayLike<number>): string {
  const all = new Uint16Array(units)
  let text = ''
  // An argument for each unit: not too many at a time.
  for (let at = 0; at < all.length; at += 4_096) text += String.fromCharCode(...all.subarray(at, at + 4_096))
  return text
}

/** Replaces the parts of a text. Those that overlap are replaced as one. */
export function replaceSpans(text: string, spans: readonly Span[], by: string): string {
  if (spans.length === 0) return text
  const parts: string[] = []
  let shownTo = 0
  for (const [start, end] of spans.toSorted(([one], [other]) => one - other)) {
    if (start >= shownTo) parts.push(text.slice(shownTo, start), by)
    shownTo = Math.max(shownTo, end)
  }
  return [...parts, text.slice(shownTo)].join('')
}
