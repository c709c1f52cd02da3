import type { Span } from '../model/text-view.ts'

/** Gets the parts of a JSON text, in order. `Where` is the place of a value, as the visitor names it. */
export interface JsonVisitor<Where> {
  /** @returns the place of its value */
  field(where: Where, name: string, span: Span): Where
  /** @param span with its quotes */
  text(where: Where, text: string, span: Span): void
  /** A number, `true`, `false` or `null`, as it is written. */
  literal(where: Where, literal: string, span: Span): void
  /** True to read no more. */
  readonly isDone: boolean
}

/** Deeper values are not read: the stack would overflow. */
const deepest = 1_000

/**
 * Reads a JSON text without an object for each value. The names of fields may repeat. Never throws.
 * @returns false for a text that is not JSON, or nested too deeply; the visitor may have got parts of it
 */
export function walkJson<Where>(text: string, where: Where, visitor: JsonVisitor<Where>): boolean {
  return new Walk(text, visitor).run(where)
}

class Walk<Where> {
  readonly #text: string
  readonly #visitor: JsonVisitor<Where>
  #at = 0

  constructor(text: string, visitor: JsonVisitor<Where>) {
    this.#text = text
    this.#visitor = visitor
  }

  run(where: Where): boolean {
    if (!this.#value(where, 0)) return false
    return this.#visitor.isDone || Number.isNaN(this.#next())
  }

  /** Skips white space. @returns the code of the next character; NaN at the end */
  #next(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code
      this.#at += 1
    }
  }

  #value(where: Where, depth: number): boolean {
    const code = this.#next()
    if (code === sign.openList) return depth < deepest && this.#list(where, depth + 1)
    if (code === sign.openObject) return depth < deepest && this.#object(where, depth + 1)
    const start = this.#at
    if (code === sign.quote) {
      const text = this.#string()
      if (text === undefined) return false
      this.#visitor.text(where, text, [start, this.#at])
      return true
    }
    literals.lastIndex = start
    const literal = literals.exec(this.#text)?.[0]
    if (literal === undefined) return false
    this.#at += literal.length
    this.#visitor.literal(where, literal, [start, this.#at])
    return true
  }

  #list(where: Where, depth: number): boolean {
    this.#at += 1
    if (this.#next() === sign.closeList) return this.#skip()
    for (;;) {
      if (!this.#value(where, depth)) return false
      if (this.#visitor.isDone) return true
      const code = this.#next()
      this.#at += 1
      if (code === sign.closeList) return true
      if (code !== sign.comma) return false
    }
  }

  #object(where: Where, depth: number): boolean {
    this.#at += 1
    if (this.#next() === sign.closeObject) return this.#skip()
    for (;;) {
      if (this.#next() !== sign.quote) return false
      const start = this.#at
      const name = this.#string()
      if (name === undefined) return false
      const below = this.#visitor.field(where, name, [start, this.#at])
      if (this.#next() !== sign.colon) return false
      this.#at += 1
      if (!this.#value(below, depth)) return false
      if (this.#visitor.isDone) return true
      const code = this.#next()
      this.#at += 1
      if (code === sign.closeObject) return true
      if (code !== sign.comma) return false
    }
  }

  #skip(): true {
    this.#at += 1
    return true
  }

  #string(): string | undefined {
    strings.lastIndex = this.#at
    const written = strings.exec(this.#text)?.[0]
    if (written === undefined) return undefined
    this.#at += written.length
    return written.includes('\\') ? (JSON.parse(written) as string) : written.slice(1, -1)
  }
}

const sign = {
  openList: 0x5b,
  closeList: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
  quote: 0x22,
  colon: 0x3a,
  comma: 0x2c
} as const

// eslint-disable-next-line no-control-regex
const strings = /"[^"\\\0-\x1f]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\\0-\x1f]*)*"/y
const literals = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
