import { isExactNumber, parseExactText } from '../model/exact-json.ts'
import { readBodyText } from '../model/body-text.ts'

/*
 * Hides the values at paths of a payload: from everyone without the right to see personal data, and from errors.
 */

/** Steps of a path: the name of a field, `*` for one field of any name, `**` for any number of fields. */
type Path = readonly string[]

/** A path, and how many of its steps lead to a value. */
interface Position {
  readonly path: Path
  readonly step: number
}

/** Shorter values, such as a country code, stay in a longer text: they occur in many words. */
const shortestInText = 4
/** The most values of an event that are looked for in a text. If there are more, the whole text is hidden. */
const mostInText = 1_000

export class Redaction {
  readonly #paths: readonly Path[]

  /**
   * @param paths such as `data.object.email`, `data.*.email` or `data.**.address`. A list on the way stands for its
   * entries. An object or a list at the end stands for all its values
   */
  constructor(paths: readonly string[]) {
    this.#paths = paths.map((path) => path.split('.'))
  }

  /**
   * Returns the JSON of a body with its hidden values replaced by their type and length. Numbers keep all their digits.
   * @returns undefined if the body is not JSON, or is nested too deeply: then all of it must be hidden
   */
  json(body: Uint8Array): string | undefined {
    const { encoding, text } = readBodyText(body)
    if (encoding !== 'json') return undefined
    try {
      return JSON.stringify(this.#replace(parseExactText(text), this.#begin(), maskOf))
    } catch {
      // Nested too deeply.
      return undefined
    }
  }

  /**
   * Returns a text, such as the message of an error, without the hidden values of an event's body, also as they are
   * written in a URL or in JSON. Never throws: a text that cannot be searched is hidden.
   */
  text(text: string, body: Uint8Array): string {
    return this.hiderOf(body)(text)
  }

  /** Returns a function that does what `text` does for one body, which it reads once. */
  hiderOf(body: Uint8Array): (text: string) => string {
    try {
      const values = this.#valuesIn(body)
      if (values.size > mostInText) return () => mask
      const whole = new Set([...values].map((value) => value.toLowerCase()))
      const parts = [...values]
        .filter(({ length }) => length >= shortestInText)
        .sort((one, other) => other.length - one.length)
        .map((value) => new RegExp(escapePattern(value), 'giu'))
      return (text) =>
        whole.has(text.toLowerCase()) ? mask : parts.reduce((shown, part) => shown.replaceAll(part, () => mask), text)
    } catch {
      // A value is too long for a pattern.
      return () => mask
    }
  }

  /** The hidden texts and numbers of a body that are looked for in a text. */
  #valuesIn(body: Uint8Array): ReadonlySet<string> {
    const values = new Set<string>()
    try {
      this.#replace(parseExactText(readBodyText(body).text), this.#begin(), (leaf) => {
        const text = typeof leaf === 'string' ? leaf.toWellFormed() : isExactNumber(leaf) ? JSON.stringify(leaf) : ''
        if (text !== '' && values.size <= mostInText)
          for (const form of [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)]) values.add(form)
        return leaf
      })
    } catch {
      // Not JSON, or nested too deeply: the values found so far are looked for.
    }
    return values
  }

  #begin(): readonly Position[] {
    return this.#paths.flatMap((path) => skipAny({ path, step: 0 }))
  }

  /** Copies a value, with the leaves at the end of a path replaced. */
  #replace(value: unknown, positions: readonly Position[], replaceLeaf: (leaf: unknown) => unknown): unknown {
    if (positions.length === 0) return value
    if (positions.some(({ path, step }) => step === path.length)) return replaceLeaves(value, replaceLeaf)
    if (Array.isArray(value)) return value.map((entry) => this.#replace(entry, positions, replaceLeaf))
    if (!isObject(value)) return value
    return mapFields(value, (field, name) =>
      this.#replace(
        field,
        positions.flatMap((position) => follow(position, name)),
        replaceLeaf
      )
    )
  }
}

const mask = '••••'

function maskOf(leaf: unknown): unknown {
  if (typeof leaf === 'string') return `${mask} (string, ${leaf.length})`
  return leaf === null ? null : `${mask} (${isExactNumber(leaf) ? 'number' : typeof leaf})`
}

function replaceLeaves(value: unknown, replaceLeaf: (leaf: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => replaceLeaves(entry, replaceLeaf))
  return isObject(value) ? mapFields(value, (field) => replaceLeaves(field, replaceLeaf)) : replaceLeaf(value)
}

/** Where a path can be after a field. */
function follow({ path, step }: Position, name: string): readonly Position[] {
  const wanted = path[step]
  if (wanted === '**') return skipAny({ path, step })
  return wanted === '*' || wanted === name ? skipAny({ path, step: step + 1 }) : []
}

/** `**` also stands for no field. */
function skipAny(position: Position): readonly Position[] {
  const { path, step } = position
  return path[step] === '**' ? [position, ...skipAny({ path, step: step + 1 })] : [position]
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isExactNumber(value)
}

function mapFields(value: object, map: (field: unknown, name: string) => unknown): object {
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, map(field, name)]))
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
}
