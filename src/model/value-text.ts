import { isUtf8 } from 'node:buffer'

/**
 * The value in a file that a variable names: its lines without a byte order mark, comments (lines that begin with `#`)
 * and empty lines.
 * @throws {Error} for bytes that are not UTF-8 text: read as UTF-8, they would be another value
 */
export function valueIn(content: Uint8Array): string {
  const text = isUtf8(content) ? Buffer.from(content).toString() : undefined
  if (text === undefined || text.includes('\0')) {
    throw new Error('it is not UTF-8 text: save it as UTF-8 (some editors and shells of Windows write UTF-16)')
  }
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/)
  return lines.filter((line) => line.trim() !== '' && !/^[ \t]*#/.test(line)).join('\n')
}
