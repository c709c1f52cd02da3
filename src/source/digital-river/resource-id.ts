/**
 * The id of the resource that an event is about, for any event type: an `orderBy` for a handler of many types. Usually
 * `data.object.id`. For a subscription with its invoice it is the subscription's id; after a deletion it may be in
 * `data.previousAttributes`.
 * @returns undefined if the payload has no id
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
