/**
 * The id of the resource that an event is about, whatever its type: a key for `orderBy` that also serves a handler of
 * many types. Usually `data.object.id`; of a subscription that comes with its invoice, the subscription's; after a
 * deletion, the one that `data.previousAttributes` still tells.
 * @returns undefined where the payload tells none
 */
export function resourceIdOf(event: {
  readonly data: { readonly object: object; readonly previousAttributes?: object }
}): string | undefined {
  const { object, previousAttributes } = event.data
  const subscription = 'subscription' in object ? object.subscription : undefined
  for (const place of [object, subscription, previousAttributes]) {
    if (typeof place !== 'object' || place === null || !('id' in place)) continue
    if (typeof place.id === 'string' && place.id !== '') return place.id
    if (typeof place.id === 'number') return String(place.id)
  }
  return undefined
}
