/** The signed text, as a list of texts and of places for values. */
export type Template = readonly (string | { readonly value: Placeholder })[]

export type Placeholder = (typeof placeholders)[number]
export const placeholders = ['id', 'timestamp', 'body'] as const

/** Reads a template such as `{timestamp}.{body}`. */
export function parseTemplate(text: string): Template {
  return text
    .split(/\{(id|timestamp|body)\}/)
    .map((part, index) => (index % 2 === 0 ? part : { value: part as Placeholder }))
    .filter((part) => part !== '')
}

export function uses(template: Template, placeholder: Placeholder): boolean {
  return template.some((part) => typeof part === 'object' && part.value === placeholder)
}

/** Describes the problem with a template: the end of a sentence whose subject is its name. Undefined if it is valid. */
export function templateProblem(text: string): string | undefined {
  const template = parseTemplate(text)
  const left = template.filter((part) => typeof part === 'string').join('')
  const unknown = /\{([^{}]*)\}/.exec(left)?.[1]
  if (unknown !== undefined)
    return `has the unknown placeholder {${unknown}}; known are ${placeholders.map((name) => `{${name}}`).join(', ')}`
  if (/[{}]/.test(left)) return 'has a brace that belongs to no placeholder'
  return uses(template, 'body')
    ? undefined
    : 'must hold {body}: a signature that does not cover the body proves nothing'
}

/** The values of one request. */
export interface SignedValues {
  readonly id: string
  readonly timestamp: string
  readonly body: Uint8Array
}

/** The bytes that are signed, in pieces: the body is not copied. */
export function fill(template: Template, values: SignedValues): readonly (string | Uint8Array)[] {
  return template.map((part) => (typeof part === 'string' ? part : values[part.value]))
}
