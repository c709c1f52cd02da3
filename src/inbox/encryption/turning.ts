import type { EncryptionKeys } from '../../model/encryption-keys.ts'
import { RiverhookError } from '../../model/errors.ts'
import type { DeliveryState } from '../../model/event.ts'
import { eventPages } from '../event-pages.ts'
import type { Inbox } from '../inbox.ts'
import { Cipher } from './cipher.ts'
import { batchSize, resealEvents } from './reencrypt.ts'
import { firstState, readKeys, saveState, withKey, type Keys, type StoredState } from './state.ts'

/** How long a state is used before it is read again. */
const freshMs = 30_000
/** The states of deliveries that are in a line. */
const inLine: readonly DeliveryState[] = ['pending', 'waiting', 'running', 'parked']

/** Reads the state of the encryption, and changes it to what the keys of this process say. */
export class Turning {
  readonly #inner: Inbox
  readonly #ask: () => Promise<EncryptionKeys>
  readonly #mayTurn: boolean
  readonly #now: () => number
  #given: Promise<EncryptionKeys> | undefined
  #keys: Promise<Keys> | undefined
  #readAt = 0

  constructor(
    inner: Inbox,
    { keys, mayTurn }: { readonly keys: () => Promise<EncryptionKeys>; readonly mayTurn: boolean },
    now = () => performance.now()
  ) {
    this.#inner = inner
    this.#ask = keys
    this.#mayTurn = mayTurn
    this.#now = now
  }

  /** @throws {RiverhookError} RIVERHOOK_INBOX_KEY, RIVERHOOK_INBOX_IN_USE, RIVERHOOK_INBOX_UNAVAILABLE */
  keys(): Promise<Keys> {
    const known = this.#keys
    if (known !== undefined && this.#now() - this.#readAt < freshMs) return known
    this.#readAt = this.#now()
    const read = this.#read()
    // Keep what this process reads with: only the first reading must succeed.
    const keys = known === undefined ? read : read.catch(() => known)
    this.#keys = keys
    read.catch(() => {
      if (this.#keys === keys && known === undefined) this.#keys = undefined
    })
    return keys
  }

  /** Reads the state again at the next call. */
  forget(): void {
    this.#readAt = -Infinity
  }

  async #read(): Promise<Keys> {
    const given = await (this.#given ??= this.#ask().catch((error: unknown) => {
      this.#given = undefined
      throw error
    }))
    let keys = await readKeys(this.#inner, given)
    if (this.#mayTurn) keys = await this.#turn(keys, given)
    const { state, writesWith } = keys
    if (state === undefined || writesWith === undefined || state.keys[writesWith] !== undefined) return keys
    await saveState(this.#inner, keys, withKey(keys.cipher, given, state, writesWith))
    return readKeys(this.#inner, given)
  }

  /** Begins or ends the encryption of new data, if the keys say so. */
  async #turn(read: Keys, given: EncryptionKeys): Promise<Keys> {
    const { first } = given
    const { state } = read
    const writes = first === undefined ? 'plain' : 'sealed'
    if (state === undefined && first === undefined) return read
    if (state?.writes === writes && state.turning === undefined) return read
    const isEmpty = (await this.#inner.position()) === 0
    if (!isEmpty) await this.#requireAlone()
    const next: StoredState =
      state === undefined
        ? firstState(new Cipher(given.all.values()), first?.id ?? '', isEmpty)
        : { ...state, writes, isMixed: !isEmpty, turning: true }
    await saveState(this.#inner, read, next)
    let keys = await readKeys(this.#inner, given)
    if (next.turning === undefined) return keys
    await this.#convertLines(keys)
    const { turning: _done, ...turned } = next
    await saveState(this.#inner, keys, turned)
    keys = await readKeys(this.#inner, given)
    return keys
  }

  /** Other servers write order keys in the other form: deliveries of one line would run at the same time. */
  async #requireAlone(): Promise<void> {
    const servers = (await this.#inner.servers?.()) ?? []
    if (servers.length === 0) return
    throw new RiverhookError(
      'RIVERHOOK_INBOX_IN_USE',
      `The encryption of the inbox begins or ends with this start, and ${servers.join(', ')} still writes as before: ` +
        'stop all servers, and start them again with the same keys. A server that was killed is listed for another minute'
    )
  }

  /** Brings all deliveries that are in a line into the form of new ones, so that they stay in the same line. */
  async #convertLines(keys: Keys): Promise<void> {
    for (const state of inLine) {
      for await (const { events } of eventPages(this.#inner, { state, limit: batchSize, oldestFirst: true })) {
        const inLines = events.filter(({ deliveries }) =>
          deliveries.some(({ orderKey, state }) => orderKey !== undefined && inLine.includes(state))
        )
        await resealEvents(this.#inner, keys, inLines)
      }
    }
  }
}
