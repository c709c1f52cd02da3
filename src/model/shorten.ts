/** A text that came from outside, or from a function of somebody else's, at a length that can be logged. */
export function shorten(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest).toWellFormed()}...`
}
