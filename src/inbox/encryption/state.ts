import type { EncryptionKeys } from '../../model/encryption-keys.ts'
import { RiverhookError } from '../../model/errors.ts'
import { inboxUnavailable } from '../../model/inbox-unavailable.ts'
import type { Inbox } from '../inbox.ts'
import { Cipher, IndexCipher, missingKey, newIndexKey } from './cipher.ts'

/**
 * The state of the encryption, which is stored in the inbox as JSON.
 *
 * - `writes`: what new data is. `turning`: a server has begun to change that, and prepares the lines of order keys.
 * - `isMixed`: there may be events that are not as new ones are: in plain text, or encrypted.
 * - `keys`: the ids of the keys that may be in use, each with the key of the index, which is encrypted with that key.
 */
export interface StoredState {
  readonly writes: 'sealed' | 'plain'
  readonly turning?: true
  readonly isMixed: boolean
  readonly keys: Readonly<Record<string, string>>
}

/** The keys to write and to read with. */
export interface Keys {
  readonly cipher: Cipher
  /** Undefined if nothing is encrypted, and nothing will be. */
  readonly index: IndexCipher | undefined
  /** The id of the key that encrypts; undefined: new data is written in plain text. */
  readonly writesWith: string | undefined
  /** True if there may be events that are not encrypted with this key, or that are encrypted at all. */
  readonly isMixed: boolean
  /** True if there may be events in plain text beside encrypted ones. */
  readonly isPartlyPlain: boolean
  readonly stored: string | undefined
  readonly state: StoredState | undefined
}

/** The place of the index key: see `Cipher.seal`. */
const indexPlace = (keyId: string): readonly string[] => ['index key', keyId]

/** @throws {RiverhookError} RIVERHOOK_INBOX_KEY if a key in use is missing, or has another value */
export async function readKeys(inbox: Inbox, given: EncryptionKeys): Promise<Keys> {
  const stored = await inbox.encryption()
  const cipher = new Cipher(given.all.values())
  if (stored === undefined)
    return {
      cipher,
      index: undefined,
      writesWith: undefined,
      isMixed: false,
      isPartlyPlain: false,
      stored,
      state: undefined
    }
  const state = JSON.parse(stored) as StoredState
  const index = new IndexCipher(openIndexKey(cipher, given, state))
  const inUse = Object.keys(state.keys)
  const writesWith = state.writes === 'sealed' ? (given.first?.id ?? inUse[0]) : undefined
  return {
    cipher,
    index,
    writesWith,
    isMixed: state.isMixed || inUse.some((id) => id !== writesWith),
    isPartlyPlain: state.isMixed,
    stored,
    state
  }
}

function openIndexKey(cipher: Cipher, given: EncryptionKeys, { keys }: StoredState): Uint8Array {
  const missing = Object.keys(keys).filter((id) => !given.all.has(id))
  if (missing.length > 0) throw missingKey(missing)
  const opened = Object.entries(keys).map(([id, sealed]) => {
    try {
      return cipher.open(Buffer.from(sealed, 'base64url'), indexPlace(id))
    } catch (cause) {
      throw new RiverhookError(
        'RIVERHOOK_INBOX_KEY',
        `The key ${JSON.stringify(id)} has another value than the one that the data of the inbox is encrypted with`,
        { cause }
      )
    }
  })
  const [first] = opened
  if (first === undefined) throw missingKey([])
  return first
}

/** Replaces the state that was read. @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE if another process did */
export async function saveState(inbox: Inbox, { stored }: Keys, state: StoredState | undefined): Promise<void> {
  const isSaved = await inbox.saveEncryption(stored, state === undefined ? undefined : JSON.stringify(state))
  if (!isSaved)
    throw inboxUnavailable('The encryption could not be prepared', new Error('another process changed it meanwhile'))
}

/** The first state of an inbox that is encrypted from now on. */
export function firstState(cipher: Cipher, keyId: string, isEmpty: boolean): StoredState {
  const sealed = cipher.seal(keyId, newIndexKey(), indexPlace(keyId)).toString('base64url')
  return { writes: 'sealed', isMixed: !isEmpty, keys: { [keyId]: sealed }, ...(!isEmpty && { turning: true }) }
}

/** Adds a key that new data is encrypted with. */
export function withKey(cipher: Cipher, given: EncryptionKeys, state: StoredState, keyId: string): StoredState {
  if (state.keys[keyId] !== undefined) return state
  const sealed = cipher.seal(keyId, openIndexKey(cipher, given, state), indexPlace(keyId)).toString('base64url')
  return { ...state, keys: { [keyId]: sealed, ...state.keys } }
}

/** Leaves only the key that encrypts. */
export function withOnly(state: StoredState, keyId: string): StoredState {
  return { writes: 'sealed', isMixed: false, keys: { [keyId]: state.keys[keyId] ?? '' } }
}
