import { readFileSync, statSync } from 'node:fs'

import { RiverhookError } from '../index.ts'

/**
 * The content of a file that a variable names, without the line end that editors add.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID with the variable and the path
 */
export function readValueFile(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `${variable} names ${path}, which cannot be read: ${reason}`, { cause: error })
  }
}

/**
 * The list in a file, read again whenever the file has changed: Kubernetes and Docker replace a mounted secret in place. While it
 * cannot be read or is empty (it may be in the middle of being replaced), the last good list stands.
 */
export function watchedList(variable: string, path: string, first: string): () => readonly string[] {
  let list = split(first)
  let seen = versionOf(path)
  return () => {
    const version = versionOf(path)
    if (version === undefined || version === seen) return list
    seen = version
    try {
      const now = split(readFileSync(path, 'utf8'))
      if (now.length > 0) list = now
    } catch (error) {
      process.emitWarning(`${variable} names ${path}, which has changed and cannot be read now; the secrets read before stay valid: ${error instanceof Error ? error.message : String(error)}`)
    }
    return list
  }
}

function split(text: string): readonly string[] {
  return text.split(/[,\n]/).map((item) => item.trim()).filter((item) => item !== '')
}

/** Changes with every change of the file; undefined while there is none. */
function versionOf(path: string): string | undefined {
  try {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true })
    return `${ino} ${mtimeNs} ${size}`
  } catch {
    // Not there, or not to be looked at, for now.
    return undefined
  }
}
