import type { EventKey, KeptHeaders } from '../../model/event.ts'

/** The stored forms of encrypted data. */
export interface InboxEncryption {
  /** Returns the state of the encryption, as it was saved last; undefined if there is none: nothing is encrypted. */
  encryption(): Promise<string | undefined>

  /**
   * Replaces the state of the encryption, or removes it.
   * @param expected the state that is replaced
   * @returns false if it is another one, and nothing was changed
   */
  saveEncryption(expected: string | undefined, state: string | undefined): Promise<boolean>

  /**
   * Replaces the stored forms of events by others of the same meaning. Skips events whose body or headers have changed
   * since, and texts that have.
   * @returns how many events were changed
   */
  reseal(changes: readonly Resealing[]): Promise<number>
}

/** The stored forms of an event that `reseal` replaces. */
export interface Resealing {
  readonly event: EventKey
  /** The body and the headers as they are stored now. */
  readonly from: { readonly body: Uint8Array; readonly headers: KeptHeaders }
  readonly body: Uint8Array
  readonly headers: KeptHeaders
  readonly reason: string | undefined
  readonly about: readonly string[]
  readonly resource: string | undefined
  /** Errors of its deliveries and their attempts: what is stored, and what replaces it. */
  readonly errors: readonly (readonly [from: string, to: string])[]
  /** Order keys of its deliveries. */
  readonly orderKeys: readonly { readonly delivery: number; readonly from: string; readonly to: string }[]
}
