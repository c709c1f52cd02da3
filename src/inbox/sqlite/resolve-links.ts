import { readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** The most links to follow. */
const maxLinks = 40

/**
 * Resolves symlinks, so that two servers given different links to one file contend for the same lock, and find the same
 * log. The target of the last link need not exist yet.
 */
export function resolveLinks(path: string): string {
  let whole = resolve(path)
  for (let links = 0; links < maxLinks; links += 1) {
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
    // It does not exist, or is not a link.
    return undefined
  }
}
