import type { EventKey } from '../../model/event.ts'
import type { Inbox } from '../inbox.ts'
import { openBody } from './fields.ts'
import type { Keys } from './state.ts'

/** The most ids in one call of `known`. */
const mostIds = 1_000

type Body = EventKey & { readonly body: Uint8Array }

/**
 * The stored forms of bodies that the inbox has already. An engine compares stored forms, so a duplicate of an event
 * that is encrypted with another key, or not at all, must be given in the form of the first.
 */
export class KnownBodies {
  readonly #stored = new Map<string, { readonly plain: Uint8Array; readonly stored: Uint8Array }>()

  /** Looks only if there may be events in another form than new ones. */
  static async find(inner: Inbox, keys: Keys, bodies: readonly Body[]): Promise<KnownBodies> {
    const found = new KnownBodies()
    if (!keys.isMixed) return found
    for (const [realm, ofRealm] of Map.groupBy(bodies, (each) => each.realm))
      for (let start = 0; start < ofRealm.length; start += mostIds) {
        const ids = ofRealm.slice(start, start + mostIds).map(({ id }) => id)
        for (const id of await inner.known(realm, ids)) await found.#add(inner, keys, { realm, id })
      }
    return found
  }

  async #add(inner: Inbox, keys: Keys, event: EventKey): Promise<void> {
    const stored = (await inner.event(event))?.body
    if (stored === undefined) return
    try {
      this.#stored.set(nameOf(event), { plain: openBody(keys, event, stored), stored })
    } catch {
      // It cannot be compared: the repeat counts as one with another body.
    }
  }

  /** The stored form of an equal body; undefined if there is none. */
  of(given: Body): Uint8Array | undefined {
    if (this.#stored.size === 0) return undefined
    const known = this.#stored.get(nameOf(given))
    return known !== undefined && Buffer.compare(known.plain, given.body) === 0 ? known.stored : undefined
  }
}

function nameOf({ realm, id }: EventKey): string {
  return JSON.stringify([realm, id])
}
