/**
 * Escapes texts, so that each is read back unchanged in any encoding of the database.
 *
 * PostgreSQL's text cannot contain NUL or a lone surrogate, but a JSON string can. A database whose encoding is not
 * UTF8 supports even fewer characters: "€" fails in LATIN1, and the whole statement with it. Such characters are stored
 * as SUB and four hexadecimal digits for each UTF-16 unit; psql shows `\x1A20ac`. SUB exists in every encoding. It is
 * escaped too, so that two texts never become equal.
 */

/** The ASCII control character SUBSTITUTE. */
const sub = '\u001a'

/** @param isUnicode whether the database's encoding is UTF8; in others, everything but ASCII is escaped */
export function storable(text: string, isUnicode: boolean): string {
  if (!text.includes('\0') && !text.includes(sub) && (isUnicode ? text.isWellFormed() : !/[\u0080-\uffff]/.test(text)))
    return text
  return Array.from(text, (character) =>
    isStorable(character, isUnicode) ? character : escapeCharacter(character)
  ).join('')
}

/** Reverses `storable`. */
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

function escapeCharacter(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `${sub}${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  ).join('')
}

/** The maximum stored size in bytes, in any encoding: with each UTF-16 unit escaped that is not printable ASCII. */
export function maxStoredBytes(text: string): number {
  return text.length + 4 * (text.match(/[^\u0020-\u007f]/g)?.length ?? 0)
}
