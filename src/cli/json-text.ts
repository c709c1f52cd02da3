/** A string, a run of white space, a bracket, comma or colon, or a number or name. */
const tokens = /"(?:[^"\\]|\\.)*"|\s+|[[\]{},:]|[^\s"[\]{},:]+/gs

/** Deeper levels are not indented further: the white space of 5,000 levels would be far longer than their text. */
const deepestIndent = 20

/**
 * Removes the white space between the tokens. Every number and string stays as it is written. @param json valid JSON
 */
export function compactJson(json: string): string {
  let text = ''
  for (const [token] of json.matchAll(tokens)) if (token.trim() !== '') text += token
  return text
}

/**
 * Indents by two spaces a level. Works on the text, not on its value: a number beyond the precision of JavaScript
 * stays as it is written, and no depth overflows the stack.
 * @param json valid JSON
 */
export function indentJson(json: string): string {
  let text = ''
  let depth = 0
  let isEmpty = false
  const line = (): string => `\n${'  '.repeat(Math.min(depth, deepestIndent))}`
  for (const [token] of json.matchAll(tokens)) {
    if (token.trim() === '') continue
    const closes = token === ']' || token === '}'
    if (closes) depth -= 1
    if (isEmpty ? !closes : closes) text += line()
    text += token === ',' ? `,${line()}` : token === ':' ? ': ' : token
    isEmpty = token === '[' || token === '{'
    if (isEmpty) depth += 1
  }
  return text
}
