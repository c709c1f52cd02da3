import { lstatSync, mkdirSync, realpathSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'

/**
 * Caches compiled code in a folder of the user: start-up is a third faster, and shell completion runs us on every Tab.
 * No cache if others can write to that folder, because their code would run.
 */
export function enableCompileCache(environment: NodeJS.ProcessEnv = process.env): void {
  try {
    const folder = privateFolder(join(cacheFolder(environment), 'riverhook'))
    if (folder !== undefined) module.enableCompileCache(join(folder, 'compiled'))
  } catch {
    // The home folder is missing or not writable: run without a cache.
  }
}

function cacheFolder({ XDG_CACHE_HOME: cache, LOCALAPPDATA: local }: NodeJS.ProcessEnv): string {
  if (process.platform === 'win32' && local !== undefined) return local
  if (cache !== undefined && isAbsolute(cache)) return cache
  return join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache')
}

/**
 * Makes the folder where it is missing, with mode 0700.
 * @returns its real path; undefined when somebody else owns it, or can write to it or replace it
 */
export function privateFolder(path: string): string | undefined {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const folder = realpathSync(path)
  const user = process.getuid?.()
  // Windows has no such modes: there the folder lies in the user's profile, which others cannot write to.
  if (user === undefined) return folder
  const { uid, mode } = lstatSync(folder)
  if (uid !== user || (mode & 0o077) !== 0) return undefined
  for (let above = dirname(folder); ; above = dirname(above)) {
    if (!isKept(above, user)) return undefined
    if (above === dirname(above)) return folder
  }
}

/**
 * Whether only this user and root can replace what lies in the folder. In one with the sticky bit, the owner of a
 * thing alone can.
 */
function isKept(folder: string, user: number): boolean {
  const { uid, mode } = lstatSync(folder)
  return (uid === user || uid === 0) && ((mode & 0o022) === 0 || (mode & 0o1000) !== 0)
}
