import { chownSync, closeSync, openSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

import { RiverhookError } from '../../model/errors.ts'
import { inboxUnavailable } from '../../model/inbox-unavailable.ts'
import type { InboxNote } from '../inbox.ts'

/**
 * Creates an empty file for this user only. SQLite gives its -wal and -shm files the same mode.
 * @returns false if there is a file already
 */
export function createPrivateFile(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600))
    giveToOwnerOfFolder(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Gives a file that root created to the owner of the folder, so that the server can open it. SQLite does the same for
 * its -wal and -shm files.
 */
export function giveToOwnerOfFolder(path: string): void {
  if (process.geteuid?.() !== 0) return
  const { uid, gid } = statSync(dirname(path))
  if (uid !== 0) chownSync(path, uid, gid)
}

/**
 * Requires that the folder of the inbox exists. It is not created: a mistyped path, or a disk that is not mounted,
 * would give an empty inbox in another place.
 * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE
 */
export function requireFolder(folder: string): void {
  try {
    if (statSync(folder).isDirectory()) return
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw inboxUnavailable(`The inbox's folder ${folder} cannot be read`, error)
  }
  throw new RiverhookError(
    'RIVERHOOK_INBOX_UNAVAILABLE',
    `The inbox's folder ${folder} does not exist. If the path is right, create it: mkdir -p -m 700 ${folder}`
  )
}

/** The numbers of Linux for NFS, SMB, CIFS, SMB2, Ceph and AFS. */
const networkFileSystems = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x00c36400, 0x5346414f])

/** Lists risks of the place of the inbox, for the log: access by other users, and network file systems. */
export function checkAccess(path: string): InboxNote[] {
  const folder = dirname(path)
  const notes: InboxNote[] = []
  const warn = (message: string): void => {
    notes.push({ level: 'warn', message })
  }
  if (process.platform !== 'win32') {
    const file = statSync(path)
    if ((file.mode & 0o077) !== 0) {
      warn(
        `other users can ${(file.mode & 0o022) === 0 ? 'read' : 'write'} the inbox ${path} (mode ${octal(file.mode)}), which has personal data. Run: chmod 600 ${path}*`
      )
    }
    const { mode } = statSync(folder)
    if ((mode & 0o022) !== 0)
      warn(
        `other users can write to the inbox's folder ${folder} (mode ${octal(mode)}), and can replace the inbox. Run: chmod go-w ${folder}`
      )
  }
  if (networkFileSystems.has(statfsSync(folder).type >>> 0)) {
    warn(
      `the inbox ${path} is on a network file system, where SQLite's locks do not work: events can be lost. Use a local disk, or PostgreSQL`
    )
  }
  return notes
}

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0')
