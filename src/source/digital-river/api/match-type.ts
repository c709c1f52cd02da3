/**
 * Whether an event type matches a pattern of the provider's, in which `*` stands for any characters. Takes linear time,
 * unlike a regular expression: the pattern may come from an answer.
 */
export function matchesType(pattern: string, type: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return pattern === type
  const end = type.length - last.length
  if (!type.startsWith(first) || !type.endsWith(last) || end < first.length) return false
  let at = first.length
  for (const part of rest) {
    const found = type.indexOf(part, at)
    if (found === -1 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}
