import { dirname } from 'node:path'

import { RiverhookError } from '../model/errors.ts'
import { isUnavailable } from '../model/inbox-unavailable.ts'
import { checkAgainst, isBoolean, isObject, isOneOf, type OptionRules } from '../model/option-rules.ts'
import { readEncryptionKeys, type EncryptionKeys, type EncryptionOptions } from '../model/encryption-keys.ts'
import { checkAddress, isPostgres, readPostgres, readPostgresUrl, sqlitePath } from './address.ts'
import { EncryptedInbox } from './encryption/encrypted-inbox.ts'
import { guardKeys, refuseSealed } from './encryption/key-guard.ts'
import { countByKey, reencrypt, type Reencrypted } from './encryption/reencrypt.ts'
import type { StoredState } from './encryption/state.ts'
import type { Inbox } from './inbox.ts'
import { memoryInbox } from './memory/engine.ts'
import { postgresInbox } from './postgres/engine.ts'
import { migrationText } from './postgres/migration-text.ts'
import { checkSchemaName } from './postgres/schema-name.ts'
import { requireFolder } from './sqlite/access.ts'
import { sqliteInbox, sqliteInboxAlone } from './sqlite/engine.ts'
import { resolveLinks } from './sqlite/resolve-links.ts'
import { backUpFile, restoreFile, type BackupContent, type Restored } from './sqlite/files.ts'

export type { BackupContent, Restored as RestoredInbox } from './sqlite/files.ts'

export interface OpenInboxOptions {
  /** `command` works beside a running server; see SqliteInboxOptions. */
  readonly role?: 'server' | 'command' | undefined
  /** True if a SQLite inbox may be created if there is no file. Default true for a server. */
  readonly create?: boolean | undefined
  /** Default: none. An inbox that is encrypted cannot be opened without its keys. */
  readonly encryption?: EncryptionOptions | undefined
  /**
   * True if the encryption of new data begins or ends with this opening, as the keys say. False: it stays as it is.
   * Default true for a server.
   */
  readonly mayTurn?: boolean | undefined
}

const openRules: OptionRules<OpenInboxOptions> = {
  role: isOneOf('server', 'command'),
  create: isBoolean,
  encryption: isObject,
  mayTurn: isBoolean
}

/**
 * Creates the inbox at an address. Does not open it.
 * @param address `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/DATABASE?schema=NAME` or `memory:`
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS, RIVERHOOK_OPTIONS_INVALID
 */
export function openInbox(address: string, options: OpenInboxOptions = {}): Inbox {
  checkAgainst(openRules, options, 'openInbox')
  const { role = 'server', create = role === 'server', encryption, mayTurn = role === 'server' } = options
  const engine = openEngine(address, role, create)
  return encryption === undefined ? guardKeys(engine) : encryptInbox(engine, encryption, mayTurn)
}

/**
 * Creates the inbox at an address for a process that does nothing else than a command: it needs no thread for SQLite.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS, RIVERHOOK_OPTIONS_INVALID
 */
export function openInboxAlone(address: string, encryption: EncryptionOptions | undefined): Inbox {
  const path = sqlitePath(address)
  if (path === undefined) return openInbox(address, { role: 'command', encryption })
  const engine = sqliteInboxAlone(path)
  return encryption === undefined ? guardKeys(engine) : encryptInbox(engine, encryption, false)
}

/**
 * `openInboxAlone` for a SQLite inbox without keys: it needs none of what opens the others.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS for an address of another inbox
 */
export function openPlain(address: string): Inbox {
  const path = sqlitePath(address)
  if (path !== undefined) return guardKeys(sqliteInboxAlone(path))
  throw new RiverhookError('RIVERHOOK_INBOX_ADDRESS', 'This is not the address of a SQLite inbox')
}

/**
 * Refuses an open inbox that is encrypted, if this process has no keys for it.
 * @throws {RiverhookError} RIVERHOOK_INBOX_KEY
 */
export async function requireKeys(inbox: Inbox): Promise<void> {
  if (inbox instanceof EncryptedInbox) return
  try {
    // The engine of a user may be of an older version.
    refuseSealed(await (inbox as Partial<Inbox>).encryption?.())
  } catch (error) {
    // The store is away: the server starts all the same.
    if (isUnavailable(error)) return
    throw error
  }
}

/** An engine has one encrypted inbox, for all receivers of this process. */
const encrypted = new WeakMap<Inbox, EncryptedInbox>()

/** Encrypts the data of an engine. See `openInbox`. */
export function encryptInbox(engine: Inbox, { keys }: EncryptionOptions, mayTurn = engine.role !== 'command'): Inbox {
  if (engine instanceof EncryptedInbox) return engine
  const known = encrypted.get(engine)
  if (known !== undefined) return known
  const inbox = new EncryptedInbox(engine, { keys: () => askKeys(keys), mayTurn })
  encrypted.set(engine, inbox)
  return inbox
}

/** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the line and the rule */
async function askKeys(given: EncryptionOptions['keys']): Promise<EncryptionKeys> {
  const keys = readEncryptionKeys(typeof given === 'function' ? await given() : given)
  if (typeof keys !== 'string') return keys
  throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `Option "encryption.keys" ${keys}`)
}

/** Brings all events of an open inbox into the form of new ones. See `reencrypt`. */
export async function reencryptInbox(
  inbox: Inbox,
  { keys }: EncryptionOptions,
  onProgress?: (count: number) => void
): Promise<Reencrypted> {
  const inner = inbox instanceof EncryptedInbox ? inbox.inner : inbox
  return reencrypt(inner, await askKeys(keys), onProgress)
}

/** Returns what new data of an open inbox is: `sealed` or `plain`; undefined if nothing is encrypted. */
export async function readEncryption(inbox: Inbox): Promise<'sealed' | 'plain' | undefined> {
  const stored = await inbox.encryption()
  return stored === undefined ? undefined : (JSON.parse(stored) as StoredState).writes
}

/** Counts the events of an open inbox by the keys that they are encrypted with. See `countByKey`. */
export function countEncrypted(inbox: Inbox, onProgress?: (count: number) => void): ReturnType<typeof countByKey> {
  return countByKey(inbox instanceof EncryptedInbox ? inbox.inner : inbox, onProgress)
}

function openEngine(address: string, role: 'server' | 'command', create: boolean): Inbox {
  checkAddress(address)
  const path = sqlitePath(address)
  if (path !== undefined) return sqliteInbox({ path, role, create })
  if (isPostgres(address)) return postgresInbox({ ...readPostgres(address), role })
  if (role === 'server') return memoryInbox()
  throw new RiverhookError(
    'RIVERHOOK_INBOX_ADDRESS',
    'The inbox "memory:" can be read only by the process that has it. Use "sqlite:PATH" for both the server and the command'
  )
}

/**
 * Checks an inbox address without opening the inbox: that it can be read, and that the folder of a SQLite file exists.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS, RIVERHOOK_INBOX_UNAVAILABLE
 */
export function checkInboxAddress(address: string): void {
  openEngine(address, 'server', true)
  const path = sqlitePath(address)
  if (path !== undefined) requireFolder(dirname(resolveLinks(path)))
}

/** True if two addresses name the same inbox, even if they are written differently. */
export function isSameInbox(one: string, other: string): boolean {
  const [first, second] = [one, other].map((address) => {
    const path = sqlitePath(address)
    if (path !== undefined) return resolveLinks(path)
    if (!isPostgres(address)) return address
    const { hostname, port, pathname, searchParams } = readPostgresUrl(address)
    return JSON.stringify([
      searchParams.get('host') ?? hostname,
      port === '' ? '5432' : port,
      pathname,
      searchParams.get('schema') ?? 'riverhook'
    ])
  })
  return first === second
}

/**
 * Returns the SQL that creates the tables of a PostgreSQL inbox, for a DBA to run.
 * @throws {RiverhookError} RIVERHOOK_INBOX_ADDRESS for an inbox of another engine
 */
export function migrationSql(address: string): string {
  if (!isPostgres(address))
    throw new RiverhookError(
      'RIVERHOOK_INBOX_ADDRESS',
      'Only a PostgreSQL inbox (postgres://...) has SQL to print: the server creates a SQLite file itself'
    )
  const { schema = 'riverhook' } = readPostgres(address)
  checkSchemaName(schema)
  return migrationText(schema)
}

/**
 * Writes a complete and consistent copy of a SQLite inbox to a new file. Its server may be running.
 * @param to the file, which must not exist. It gets the mode 0600
 * @throws {RiverhookError} RIVERHOOK_INBOX_BACKUP, RIVERHOOK_INBOX_UNAVAILABLE; RIVERHOOK_INBOX_ADDRESS for an inbox of
 * another engine
 */
export async function backupInbox(address: string, to: string): Promise<BackupContent> {
  return backUpFile(
    filePath(address, 'backed up', (schema) => `pg_dump --format=custom --schema=${schema} DATABASE > FILE`),
    to
  )
}

/**
 * Replaces a SQLite inbox by a backup, after checking that the backup is complete and has this version. Keeps the
 * replaced inbox beside it.
 * @throws {RiverhookError} RIVERHOOK_INBOX_IN_USE while a server uses the inbox; RIVERHOOK_INBOX_BACKUP;
 * RIVERHOOK_INBOX_ADDRESS for an inbox of another engine
 */
export async function restoreInbox(address: string, from: string): Promise<Restored> {
  return restoreFile(
    filePath(address, 'restored', () => 'pg_restore --clean --if-exists --dbname=DATABASE FILE'),
    from
  )
}

function filePath(address: string, done: string, tool: (schema: string) => string): string {
  const path = sqlitePath(address)
  if (path !== undefined) return path
  if (!isPostgres(address)) {
    // Throws if this is not an address.
    openEngine(address, 'server', true)
    throw new RiverhookError('RIVERHOOK_INBOX_ADDRESS', `The inbox "memory:" has no file that can be ${done}`)
  }
  const { schema = 'riverhook' } = readPostgres(address)
  throw new RiverhookError(
    'RIVERHOOK_INBOX_ADDRESS',
    `A PostgreSQL inbox must be ${done} together with its database, so that both are consistent. Use: ${tool(schema)}`
  )
}
