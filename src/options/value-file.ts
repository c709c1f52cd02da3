import { readFileSync, statSync } from 'node:fs'
import { clearInterval, setInterval } from 'node:timers'

import { valueIn } from '../model/value-text.ts'

export { readSecretValue } from '../model/value-text.ts'

/** The items of a value: separated by commas or line ends. */
export function splitList(value: string): string[] {
  return value
    .split(/[,\n]/)
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** A list in a file, as it is now. */
export interface WatchedList {
  (): readonly string[]
  /**
   * Checks the file once a minute, and passes errors to `report`.
   * @returns a function that stops it
   */
  readonly watch: (report: (message: string) => void) => () => void
}

/** How a file is read, and what is valid while it cannot be. */
interface FileReading {
  readonly split: (value: string) => string[]
  readonly whenUnreadable: 'last' | 'none'
  /** For the report. */
  readonly consequence: string
}

const ofSecrets: FileReading = {
  split: splitList,
  whenUnreadable: 'last',
  consequence: 'The secrets read before stay valid until it can; to end them, stop the server'
}

/**
 * Reads a file of tokens for operators, by line. While it cannot be read, none is valid: unlike an event that is
 * refused, an operator who is refused loses nothing.
 */
export const ofTokens: FileReading = {
  split: splitLines,
  whenUnreadable: 'none',
  consequence: 'No token is valid until it can'
}

/** The lines of a value that are not empty. */
export function splitLines(value: string): string[] {
  return value
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** An error is reported when it first occurs, and then at this interval. */
const reportEveryMs = 60_000

/**
 * Reads the list in a file again whenever the file has changed: Kubernetes and Docker replace a mounted secret in
 * place. While the file cannot be read or is empty (it may be half replaced), the last valid list is used, and the file
 * is read at every call. The error is reported every minute: a secret that was removed from the file must not stay
 * valid silently.
 * @param clock milliseconds; replaced in tests
 */
export function watchedList(
  variable: string,
  path: string,
  first: string,
  clock = (): number => performance.now(),
  { split, whenUnreadable, consequence }: FileReading = ofSecrets
): WatchedList {
  let list: readonly string[] = split(first)
  let read = versionNow(path)
  let reportedAt: number | undefined
  let report = (message: string): void => {
    process.emitWarning(message)
  }

  const current = (): readonly string[] => {
    try {
      const version = versionOf(path)
      if (version !== read) {
        const now = split(valueIn(readFileSync(path)))
        if (now.length === 0) throw new Error('it is empty')
        list = now
        read = version
      }
      reportedAt = undefined
    } catch (error) {
      const now = clock()
      // Slightly less than a minute, because a timer may be early.
      if (reportedAt === undefined || now - reportedAt >= reportEveryMs * 0.9) {
        reportedAt = now
        report(`${variable} names ${path}, which cannot be read now: ${reasonOf(error)}. ${consequence}`)
      }
      if (whenUnreadable === 'none') return []
    }
    return list
  }
  const watch = (to: (message: string) => void): (() => void) => {
    report = to
    const timer = setInterval(current, reportEveryMs)
    timer.unref()
    return () => {
      clearInterval(timer)
    }
  }
  return Object.assign(current, { watch })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Changes with every change of the file. @throws what `stat` throws */
function versionOf(path: string): string {
  const { ino, mtimeNs, ctimeNs, size } = statSync(path, { bigint: true })
  return `${ino} ${mtimeNs} ${ctimeNs} ${size}`
}

function versionNow(path: string): string | undefined {
  try {
    return versionOf(path)
  } catch {
    // Deleted since it was read; the first call reports it.
    return undefined
  }
}
