import { RiverhookError } from '../../model/errors.ts'
import type { EventKey, KeptHeaders } from '../../model/event.ts'
import type {
  Arrival,
  DeliveryDetail,
  DeliverySummary,
  EventDetail,
  EventSummary,
  OrderKey,
  Resealing
} from '../inbox.ts'
import { isSealed, isSealedText, keyIdOf, keyIdOfText, sealedText, toBytes } from './cipher.ts'
import type { Keys } from './state.ts'

/*
 * The encrypted parts of an event: the body, the headers, the reason, the errors, and the resource together with the
 * search keys, of which the engine gets digests. An order key is encrypted so that equal ones stay equal.
 */

/** The kept headers of an encrypted event have only this one. */
const sealedHeader = 'riverhook-sealed'
/** In characters: PostgreSQL stores no longer order key. */
const longestOrderKey = 450

/** The text that a person sees in the place of a text that cannot be decrypted. */
const unreadableText = '(cannot be decrypted)'

export function placeOf({ realm, id }: EventKey, field: string): readonly string[] {
  return [realm, id, field]
}

/** The place of an error that was stored without its event. */
const anyError: readonly string[] = ['error']

export function sealBody(keys: Keys, event: EventKey, body: Uint8Array): Uint8Array {
  return keys.writesWith === undefined ? body : keys.cipher.seal(keys.writesWith, body, placeOf(event, 'body'))
}

export function openBody({ cipher }: Keys, event: EventKey, body: Uint8Array): Uint8Array {
  return cipher.open(body, placeOf(event, 'body'))
}

export function sealHeaders(keys: Keys, event: EventKey, headers: KeptHeaders): KeptHeaders {
  if (keys.writesWith === undefined || Object.keys(headers).length === 0) return headers
  return { [sealedHeader]: sealText(keys, event, 'headers', JSON.stringify(headers)) }
}

export function openHeaders({ cipher }: Keys, event: EventKey, headers: KeptHeaders): KeptHeaders {
  const sealed = headers[sealedHeader]
  if (sealed === undefined || !isSealedText(sealed)) return headers
  return JSON.parse(cipher.openText(sealed, placeOf(event, 'headers'))) as KeptHeaders
}

export function sealText({ writesWith, cipher }: Keys, event: EventKey, field: string, text: string): string {
  return writesWith === undefined ? text : cipher.sealText(writesWith, text, placeOf(event, field))
}

/** @param event undefined if the caller does not know it */
export function sealError({ writesWith, cipher }: Keys, event: EventKey | undefined, error: string): string {
  if (writesWith === undefined) return error
  return cipher.sealText(writesWith, error, event === undefined ? anyError : placeOf(event, 'error'))
}

export function openError({ cipher }: Keys, event: EventKey, error: string): string {
  return cipher.openText(error, placeOf(event, 'error'), anyError)
}

/** Decrypts a text for a person: one that cannot be decrypted must not keep the others from being listed. */
export function shown<Text extends string | undefined>(open: () => Text): Text | string {
  try {
    return open()
  } catch (error) {
    if (error instanceof RiverhookError) return unreadableText
    throw error
  }
}

export function sealOrderKey({ index, writesWith }: Keys, { handler, realm, orderKey }: OrderKey): string {
  if (index === undefined || writesWith === undefined) return orderKey
  const place = ['order key', realm, handler]
  const sealed = index.seal(orderKey, place)
  // Equal keys have the same digest, and the beginning is for people.
  return sealed.length <= longestOrderKey
    ? sealed
    : index.seal(`${orderKey.slice(0, 60).toWellFormed()}... ${index.searchKey(orderKey)}`, place)
}

export function openOrderKey({ index }: Keys, { handler, realm, orderKey }: OrderKey): string {
  return index?.open(orderKey, ['order key', realm, handler]) ?? orderKey
}

interface About {
  readonly about: readonly string[]
  readonly resource?: string | undefined
}

/** Encrypts the resource together with the search keys, so that these can be read again, too. */
export function sealAbout(keys: Keys, event: EventKey, about: About): About {
  const { index, writesWith } = keys
  const text = aboutText(about)
  if (index === undefined || writesWith === undefined || text === undefined) return about
  return { about: about.about.map((key) => index.searchKey(key)), resource: sealText(keys, event, 'about', text) }
}

/** The text that is encrypted; undefined if there is none. */
function aboutText({ about, resource }: About): string | undefined {
  return about.length === 0 && resource === undefined ? undefined : JSON.stringify([resource ?? null, about])
}

export function openAbout({ cipher }: Keys, event: EventKey, { about, resource }: About): About {
  if (resource === undefined || !isSealedText(resource)) return { about, resource }
  const [opened, keys] = JSON.parse(cipher.openText(resource, placeOf(event, 'about'))) as [string | null, string[]]
  const sorted = keys.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
  return { about: sorted, resource: opened ?? undefined }
}

/** Encrypts arrivals. @param known finds the stored form of a body, if the inbox has it */
export function sealArrivals(
  keys: Keys,
  arrivals: readonly Arrival[],
  known: (arrival: Arrival) => Uint8Array | undefined
): readonly Arrival[] {
  const { index, writesWith, cipher } = keys
  if (index === undefined || writesWith === undefined)
    return arrivals.map((arrival) => ({ ...arrival, body: known(arrival) ?? arrival.body }))
  const parts = arrivals.map((arrival) => {
    const body = known(arrival)
    const text =
      arrival.state === 'quarantined'
        ? undefined
        : aboutText({ about: arrival.about ?? [], resource: arrival.resource })
    return { arrival, body, text }
  })
  // Encrypts the most frequent parts of all arrivals in one call, which takes less time.
  const sealed = cipher
    .sealAll(
      writesWith,
      parts.flatMap(({ arrival, body, text }) => [
        ...(body === undefined ? [{ bytes: arrival.body, place: placeOf(arrival, 'body') }] : []),
        ...(text === undefined ? [] : [{ bytes: toBytes(text), place: placeOf(arrival, 'about') }])
      ])
    )
    .values()
  const next = (): Buffer => sealed.next().value as Buffer
  return parts.map(({ arrival, body = next(), text }): Arrival => {
    const headers = sealHeaders(keys, arrival, arrival.headers)
    if (arrival.state === 'quarantined')
      return { ...arrival, body, headers, reason: sealText(keys, arrival, 'reason', arrival.reason) }
    const { realm } = arrival
    const deliveries = arrival.deliveries.map((delivery) => sealNewDelivery(keys, realm, delivery))
    if (text === undefined) return { ...arrival, body, headers, deliveries }
    const about = arrival.about?.map((key) => index.searchKey(key)) ?? []
    return { ...arrival, body, headers, about, resource: sealedText(next()), deliveries }
  })
}

export function sealNewDelivery<Delivery extends { readonly handler: string; readonly orderKey?: string | undefined }>(
  keys: Keys,
  realm: string,
  delivery: Delivery
): Delivery {
  const { handler, orderKey } = delivery
  return orderKey === undefined ? delivery : { ...delivery, orderKey: sealOrderKey(keys, { handler, realm, orderKey }) }
}

/** Decrypts an event of a list. Shows a text that cannot be decrypted as such. */
export function openSummary(keys: Keys, event: EventSummary): EventSummary {
  const { reason, resource } = event
  return {
    ...event,
    reason: reason && shown(() => keys.cipher.openText(reason, placeOf(event, 'reason'))),
    resource: resource && shown(() => openAbout(keys, event, { about: [], resource }).resource),
    deliveries: event.deliveries.map((delivery) => openDelivery(keys, event, delivery))
  }
}

function openDelivery<Delivery extends DeliverySummary>(keys: Keys, event: EventKey, delivery: Delivery): Delivery {
  const { handler, orderKey, lastError } = delivery
  return {
    ...delivery,
    orderKey: orderKey && openOrderKey(keys, { handler, realm: event.realm, orderKey }),
    lastError: lastError && shown(() => openError(keys, event, lastError))
  }
}

/** Decrypts an event. @throws {RiverhookError} RIVERHOOK_INBOX_KEY, RIVERHOOK_INBOX_DAMAGED */
export function openDetail(keys: Keys, event: EventDetail): EventDetail {
  const { deliveries, ...rest } = event
  const { reason } = rest
  return {
    ...rest,
    ...openAbout(keys, event, rest),
    reason: reason && keys.cipher.openText(reason, placeOf(event, 'reason')),
    body: openBody(keys, event, event.body),
    headers: openHeaders(keys, event, event.headers),
    deliveries: deliveries.map((delivery): DeliveryDetail => {
      const attemptLog = delivery.attemptLog.map((attempt) => {
        const { error } = attempt
        return error === undefined ? attempt : { ...attempt, error: openError(keys, event, error) }
      })
      return { ...openDelivery(keys, event, delivery), attemptLog }
    })
  }
}

/** Encrypts an event as `openDetail` returns it. An erased one has no body. */
export function sealDetail(keys: Keys, event: EventDetail): EventDetail {
  const { reason, about, resource } = event
  return {
    ...event,
    ...sealAbout(keys, event, { about, resource }),
    reason: reason === undefined ? undefined : sealText(keys, event, 'reason', reason),
    body: event.state === 'erased' ? event.body : sealBody(keys, event, event.body),
    headers: sealHeaders(keys, event, event.headers),
    deliveries: event.deliveries.map((delivery) => {
      const { lastError, attemptLog } = delivery
      const seal = (error: string | undefined): string | undefined => error && sealError(keys, event, error)
      return {
        ...sealNewDelivery(keys, event.realm, delivery),
        lastError: seal(lastError),
        attemptLog: attemptLog.map((attempt) => ({ ...attempt, error: seal(attempt.error) }))
      }
    })
  }
}

/** How an event that is stored in this form becomes one in that form; undefined if both are equal. */
export function resealing(stored: EventDetail, wanted: EventDetail): Resealing | undefined {
  const errors = new Map<string, string>()
  const orderKeys: { readonly delivery: number; readonly from: string; readonly to: string }[] = []
  stored.deliveries.forEach((delivery, index) => {
    const other = wanted.deliveries[index]
    if (other === undefined) return
    const { orderKey: from, id } = delivery
    const { orderKey: to } = other
    if (from !== undefined && to !== undefined && from !== to) orderKeys.push({ delivery: id, from, to })
    const pairs = [
      [delivery.lastError, other.lastError],
      ...delivery.attemptLog.map((attempt, at) => [attempt.error, other.attemptLog[at]?.error])
    ]
    for (const [before, after] of pairs)
      if (before !== undefined && after !== undefined && before !== after) errors.set(before, after)
  })
  const { realm, id, body, headers, reason, resource, about } = wanted
  const isEqual =
    errors.size === 0 &&
    orderKeys.length === 0 &&
    Buffer.compare(stored.body, body) === 0 &&
    JSON.stringify([stored.headers, stored.reason, stored.resource, stored.about]) ===
      JSON.stringify([headers, reason, resource, about.toSorted()])
  if (isEqual) return undefined
  const from = { body: stored.body, headers: stored.headers }
  return { event: { realm, id }, from, body, headers, reason, resource, about, errors: [...errors], orderKeys }
}

/** The ids of the keys that a stored event is encrypted with; `plain` for what is not encrypted. */
export function keyIdsOf({ body, state, reason, headers, resource, deliveries }: EventDetail): ReadonlySet<string> {
  const texts = [
    reason,
    resource,
    headers[sealedHeader],
    ...deliveries.flatMap(({ lastError, attemptLog }) => [lastError, ...attemptLog.map(({ error }) => error)])
  ]
  const ids = texts.flatMap((text) => (text !== undefined && isSealedText(text) ? [keyIdOfText(text)] : []))
  if (state !== 'erased') ids.push(isSealed(body) ? keyIdOf(body) : plainId)
  return new Set(ids.length === 0 ? [plainId] : ids)
}

/** In the place of the id of a key. No key can have it: an id has no white space. */
export const plainId = 'plain text'
