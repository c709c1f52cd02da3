import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'

import { RiverhookError } from './errors.ts'

/**
 * The value in a file that a variable names: its lines without a byte order mark, comments (lines that begin with `#`)
 * and empty lines.
 * @throws {Error} for bytes that are not UTF-8 text, which would decode to another value
 */
export function valueIn(content: Uint8Array): string {
  const text = isUtf8(content) ? Buffer.from(content).toString() : undefined
  if (text === undefined || text.includes('\0')) {
    throw new Error('it is not UTF-8 text: save it as UTF-8 (some editors and shells of Windows write UTF-16)')
  }
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/)
  return lines.filter((line) => line.trim() !== '' && !/^[ \t]*#/.test(line)).join('\n')
}

/**
 * The value of a variable, or of the file that NAME_FILE names. Undefined if neither is set.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if both are set, one is empty, or the file cannot be read; it
 * names the variable and the path, never a value
 */
export function readSecretValue(
  name: string,
  environment: Readonly<Record<string, string | undefined>>
): string | undefined {
  const fileName = `${name}_FILE`
  const [given, path] = [environment[name], environment[fileName]]
  if (given !== undefined && path !== undefined) throw invalid(`${name} and ${fileName} are both set; keep one`)
  if (given === '') throw invalid(`${name} is empty`)
  if (path === '') throw invalid(`${fileName} is empty; it must name a file, or be left out`)
  if (path === undefined) return given
  try {
    return valueIn(readFileSync(path))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw invalid(`${fileName} names ${path}, which cannot be read: ${reason}`, error)
  }
}

function invalid(message: string, cause?: unknown): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', message, cause === undefined ? {} : { cause })
}
