import { backslash, byte, mayHaveEscapes, readEscapes, unescaped } from './escapes.ts'
import { textOf, type TextView } from './text-view.ts'

/** Returns the text of `inOneCase`, in less time. */
export function caseOf(text: string): string {
  return text.toUpperCase().toLowerCase().replaceAll('ς', 'σ')
}

/** Returns the text of `inOneForm`, in less time. */
export function formOf(text: string): string {
  const read = mayHaveEscapes(text) ? unescaped(text).text : text
  const spaced = read.replaceAll(/\\[ntrbfv]/gi, ' ').replaceAll('\\', '')
  // eslint-disable-next-line no-control-regex
  return caseOf(spaced.replaceAll(/[\s\x08+]+/g, ' '))
}

/** Returns the text in one case, as texts are compared without regard to case. */
export function inOneCase(text: string): TextView {
  const folding = new Folding()
  for (let at = 0; at < text.length; at += 1) folding.add(text.charCodeAt(at), at, at + 1)
  return folding.view()
}

/**
 * Returns a form of the text that is the same for all ways to write it: with its escapes read, in one case, without
 * backslashes, and with one space for white space, for an escape of it such as `\n`, and for the `+` of a form. A byte
 * that is not UTF-8 is read as Latin-1.
 */
export function inOneForm(text: string): TextView {
  const { codes, starts, ends } = readEscapes(text)
  const folding = new Folding()
  for (let at = 0; at < codes.length; at += 1) {
    const read = codes[at] as number
    const code = read >= byte ? read - byte : read
    const start = starts[at] as number
    if (code === backslash) {
      if (!isSpaceLetter(codes[at + 1])) continue
      at += 1
      folding.space(start, ends[at] as number)
    } else if (code === plus || isSpace(code)) folding.space(start, ends[at] as number)
    else folding.add(code, start, ends[at] as number)
  }
  return folding.view()
}

const plus = 0x2b
const space = 0x20

class Folding {
  readonly #units: number[] = []
  readonly #starts: number[] = []
  readonly #ends: number[] = []

  view(): TextView {
    return { text: textOf(this.#units), starts: this.#starts, ends: this.#ends }
  }

  space(start: number, end: number): void {
    if (this.#units.at(-1) === space) this.#ends[this.#ends.length - 1] = end
    else this.#push(space, start, end)
  }

  add(unit: number, start: number, end: number): void {
    if (unit < 0x80) this.#push(unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit, start, end)
    else this.#addCharacter(unit, start, end)
  }

  #addCharacter(unit: number, start: number, end: number): void {
    const before = this.#units.at(-1) ?? 0
    const isPair = (unit & 0xfc00) === 0xdc00 && (before & 0xfc00) === 0xd800
    const from = isPair ? (this.#starts.at(-1) ?? start) : start
    if (isPair) for (const list of [this.#units, this.#starts, this.#ends]) list.pop()
    const folded = caseOf(isPair ? String.fromCharCode(before, unit) : String.fromCharCode(unit))
    for (let at = 0; at < folded.length; at += 1) this.#push(folded.charCodeAt(at), from, end)
  }

  #push(unit: number, start: number, end: number): void {
    this.#units.push(unit)
    this.#starts.push(start)
    this.#ends.push(end)
  }
}

/** The letters after a backslash that stand for white space. */
function isSpaceLetter(code: number | undefined): boolean {
  return code !== undefined && code < 0x80 && 'ntrbfv'.includes(String.fromCharCode(code).toLowerCase())
}

function isSpace(code: number): boolean {
  if (code < 0x80) return code === space || (code >= 8 && code <= 13)
  return /\s/.test(String.fromCharCode(code))
}
