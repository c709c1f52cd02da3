/** Shortens a text from outside, or from a user's function, so that it can be logged. */
export function shorten(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest).toWellFormed()}...`
}
