import { textOf, type TextView } from './text-view.ts'

/*
 * Reads the escapes of a text, as URLs, JSON, JavaScript and HTML write them, also several in each other.
 */

/** The code of a byte that is not a whole character: 0xE9 is 0x100E9. */
export const byte = 0x1_00_00

export const backslash = 0x5c
const percent = 0x25
const ampersand = 0x26
const semicolon = 0x3b
const brace = { open: 0x7b, close: 0x7d } as const
const letter = { u: 0x75, x: 0x78 } as const

/** The code units of a text, and bytes that are not a whole character, with the place of each. */
export interface Codes {
  readonly codes: Uint32Array
  readonly starts: Uint32Array
  readonly ends: Uint32Array
}

/** Reads the escapes of a text. Of backslashes in a row, one is left. Linear in the length of the text. */
export function readEscapes(text: string): Codes {
  return new Reader(text.length).read(text)
}

/** Whether there may be an escape in a text. */
export function mayHaveEscapes(text: string): boolean {
  return introducers.test(text)
}

const introducers = /[%\\&]/

/** The same, as a text. A byte that is not UTF-8 is read as Latin-1. */
export function unescaped(text: string): TextView {
  const { codes, ...places } = readEscapes(text)
  return { text: textOf(codes.map((code) => (code >= byte ? code - byte : code))), ...places }
}

/**
 * Reads a code unit at a time, and replaces the last codes by their character as soon as they are an escape: so the
 * result of an escape can be part of the next one.
 */
class Reader {
  readonly #codes: Uint32Array
  readonly #starts: Uint32Array
  readonly #ends: Uint32Array
  #length = 0
  /** The length after the last sign that begins an escape. */
  #introducedAt = -longestEscape
  #ampersandAt = -longestEscape

  constructor(length: number) {
    this.#codes = new Uint32Array(length)
    this.#starts = new Uint32Array(length)
    this.#ends = new Uint32Array(length)
  }

  read(text: string): Codes {
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      this.#push(code, at, at + 1)
      if (code === percent || code === ampersand || code === backslash) this.#introducedAt = this.#length
      if (code === ampersand) this.#ampersandAt = this.#length
      // No escape is longer.
      if (this.#length - this.#introducedAt <= longestEscape) while (this.#reduce());
    }
    const length = this.#length
    return {
      codes: this.#codes.subarray(0, length),
      starts: this.#starts.subarray(0, length),
      ends: this.#ends.subarray(0, length)
    }
  }

  #push(code: number, start: number, end: number): void {
    this.#codes[this.#length] = code
    this.#starts[this.#length] = start
    this.#ends[this.#length] = end
    this.#length += 1
  }

  /** The code that many before the next one. */
  #back(count: number): number {
    return this.#codes[this.#length - count] ?? -1
  }

  /** Replaces the last codes by a character if they are its escape. */
  #reduce(): boolean {
    const last = this.#back(1)
    if (last === backslash) return this.#back(2) === backslash && this.#replace(2, backslash)
    if (last === semicolon) return this.#reduceEntity()
    if (last === brace.close) return this.#reduceBraces()
    if (last >= byte) return this.#reduceBytes()
    return isHex(last) && this.#reduceDigits()
  }

  /** `%e9`, `\xe9`, `\u00e9` and `%u00e9`. */
  #reduceDigits(): boolean {
    if (this.#back(3) === percent) {
      const value = this.#digits(2)
      return value !== undefined && this.#replace(3, value < 0x80 ? value : byte + value)
    }
    if (inLower(this.#back(3)) === letter.x && this.#back(4) === backslash) {
      const value = this.#digits(2)
      return value !== undefined && this.#replace(4, value)
    }
    if (inLower(this.#back(5)) !== letter.u || (this.#back(6) !== backslash && this.#back(6) !== percent)) return false
    const value = this.#digits(4)
    return value !== undefined && this.#replace(6, value)
  }

  #digits(count: number): number | undefined {
    let value = 0
    for (let left = count; left > 0; left -= 1) {
      const code = this.#back(left)
      if (!isHex(code)) return undefined
      value = value * 16 + hexValue(code)
    }
    return value
  }

  /** A character in UTF-8. */
  #reduceBytes(): boolean {
    let point = 0
    for (let count = 1; count <= 4; count += 1) {
      const value = this.#back(count) - byte
      if (value < 0x80) return false
      if (value < 0xc0) {
        point += (value - 0x80) * 64 ** (count - 1)
        continue
      }
      const lead = leads[count]
      if (lead === undefined || value < lead.from || value > lead.to) return false
      return this.#replaceByPoint(count, point + (value - lead.from) * 64 ** (count - 1), lead.least)
    }
    return false
  }

  /** `&amp;`, `&#64;` and `&#x40;`. */
  #reduceEntity(): boolean {
    if (this.#length - this.#ampersandAt > longestEntity) return false
    for (let count = 2; count <= longestEntity; count += 1) {
      if (this.#back(count) !== ampersand) continue
      const name = String.fromCharCode(...this.#codes.subarray(this.#length - count + 1, this.#length - 1))
      const point = entities.get(name) ?? entityPoint(name.toLowerCase())
      return point !== undefined && this.#replaceByPoint(count, point)
    }
    return false
  }

  /** `\u{1f600}`. */
  #reduceBraces(): boolean {
    let point = 0
    for (let count = 2; count <= 8; count += 1) {
      const code = this.#back(count)
      if (isHex(code)) point += hexValue(code) * 16 ** (count - 2)
      else {
        const isEscape = count > 2 && code === brace.open && inLower(this.#back(count + 1)) === letter.u
        return isEscape && this.#back(count + 2) === backslash && this.#replaceByPoint(count + 2, point)
      }
    }
    return false
  }

  /** @returns false if there is no such character */
  #replaceByPoint(count: number, point: number, least = 0): boolean {
    if (point < least || point > 0x10_ff_ff || (point >= 0xd800 && point < 0xe000)) return false
    if (point < 0x1_00_00) return this.#replace(count, point)
    const pair = String.fromCodePoint(point)
    const end = this.#ends[this.#length - 1] ?? 0
    this.#replace(count, pair.charCodeAt(0))
    this.#push(pair.charCodeAt(1), this.#starts[this.#length - 1] ?? 0, end)
    return true
  }

  #replace(count: number, code: number): true {
    const end = this.#ends[this.#length - 1] ?? 0
    this.#length -= count
    this.#push(code, this.#starts[this.#length] ?? 0, end)
    // The escape of such a sign may have been read.
    this.#introducedAt = this.#length
    if (code === ampersand) this.#ampersandAt = this.#length
    return true
  }
}

/** By the length of a character in UTF-8: its first byte, and its least code point, because no shorter one is valid. */
const leads: Readonly<Record<number, { readonly from: number; readonly to: number; readonly least: number }>> = {
  2: { from: 0xc0, to: 0xdf, least: 0x80 },
  3: { from: 0xe0, to: 0xef, least: 0x800 },
  4: { from: 0xf0, to: 0xf7, least: 0x1_00_00 }
}

/** With `&` and `;`. */
const longestEntity = 10
/** In characters. */
export const longestEscape = 12

const entities = new Map([
  ['amp', 0x26],
  ['apos', 0x27],
  ['commat', 0x40],
  ['gt', 0x3e],
  ['lt', 0x3c],
  ['nbsp', 0xa0],
  ['quot', 0x22]
])

function entityPoint(name: string): number | undefined {
  const [, decimal, hex] = /^#(?:(\d{1,7})|x([\da-f]{1,6}))$/.exec(name) ?? []
  if (decimal !== undefined) return Number(decimal)
  return hex === undefined ? entities.get(name) : parseInt(hex, 16)
}

/** Of a letter: a text in upper case has `\U00E9`. */
function inLower(code: number): number {
  return code | 0x20
}

function isHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66)
}

function hexValue(code: number): number {
  return code <= 0x39 ? code - 0x30 : (code & 0xdf) - 0x37
}
