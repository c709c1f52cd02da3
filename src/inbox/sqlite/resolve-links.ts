import { readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** Links that are followed before a file is taken for one that cannot be found. */
const mostLinks = 40

/**
 * The same text for the same file, whatever links name it: the lock that keeps a second server out lies beside the
 * file, and so does SQLite's log. A link whose target does not exist yet stands for that target.
 */
export function resolveLinks(path: string): string {
  let whole = resolve(path)
  for (let links = 0; links < mostLinks; links += 1) {
    const target = attempt(() => realpathSync(whole))
    if (target !== undefined) return target
    const link = attempt(() => readlinkSync(whole))
    if (link === undefined) break
    whole = resolve(dirname(whole), link)
  }
  const folder = dirname(whole)
  return join(attempt(() => realpathSync(folder)) ?? folder, basename(whole))
}

function attempt(look: () => string): string | undefined {
  try {
    return look()
  } catch {
    // Not there, or not a link.
    return undefined
  }
}
