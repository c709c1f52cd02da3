/**
 * How texts are stored, so that each is read back as it was given, whatever the encoding of the database.
 *
 * PostgreSQL's text holds no NUL and no lone surrogate, both of which a JSON string can have. A database with another
 * encoding than UTF8 holds fewer characters still: "€" fails in LATIN1, and with it the whole statement. Such
 * characters are stored as SUB and four hexadecimal digits for each UTF-16 unit; psql shows `\x1A20ac`. SUB is in
 * every encoding, and is escaped too, so that two texts never become one.
 */

/** The control character that ASCII has for "a character that cannot be shown". */
const sub = '\u001a'

/** @param isUnicode whether the database's encoding is UTF8; in others only ASCII is stored as it is */
export function storable(text: string, isUnicode: boolean): string {
  if (!text.includes('\0') && !text.includes(sub) && (isUnicode ? text.isWellFormed() : !/[\u0080-\uffff]/.test(text)))
    return text
  return Array.from(text, (character) => (isStorable(character, isUnicode) ? character : escaped(character))).join('')
}

/** Reads what `storable` wrote. */
export function readText(stored: string): string {
  return stored.includes(sub)
    ? stored.replaceAll(escapes, (_escape, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
    : stored
}

const escapes = new RegExp(`${sub}([0-9a-f]{4})`, 'g')

/** @param character one code point, or a lone surrogate */
function isStorable(character: string, isUnicode: boolean): boolean {
  if (character === '\0' || character === sub) return false
  return isUnicode ? character.isWellFormed() : character <= '\u007f'
}

function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `${sub}${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  ).join('')
}

/** The most bytes that a text takes in any encoding: an escape for each UTF-16 unit that is not printable ASCII. */
export function longestStored(text: string): number {
  return text.length + 4 * (text.match(/[^\u0020-\u007f]/g)?.length ?? 0)
}
