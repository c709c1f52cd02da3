import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'

/**
 * Finds files of the handlers folder that any user of the machine can write to or replace: their code would run in this
 * process.
 * @returns their paths, that of the folder first; empty on Windows, which has no such modes
 */
export async function exposedPaths(folder: string): Promise<readonly string[]> {
  return exposedAmong([resolve(folder), ...(await readdir(folder)).sort().map((name) => join(resolve(folder), name))])
}

/** Those of the paths that any user of the machine can write to; none on Windows, which has no such modes. */
export async function exposedAmong(paths: readonly string[]): Promise<readonly string[]> {
  if (process.platform === 'win32') return []
  const found = await Promise.all(paths.map(async (path) => ({ path, isExposed: await isExposed(path) })))
  return found.filter((each) => each.isExposed).map(({ path }) => path)
}

async function isExposed(path: string): Promise<boolean> {
  try {
    const { mode } = await stat(path)
    return (mode & 0o002) !== 0
  } catch {
    // A dangling link, or a file that was deleted in the meantime: it cannot be loaded.
    return false
  }
}
