import type { Admission, AdmitResult } from '../inbox.ts'
import { addDelivery, countDuplicate, countRecorded } from './record.ts'
import { keyText, sortKeys, type Row } from './rows.ts'
import type { Store } from './store.ts'

/** Accepts quarantined requests: each row becomes the event. */
export function admit(store: Store, requests: readonly Admission[], now: number): AdmitResult[] {
  return requests.map((request) => admitOne(store, request, now))
}

function admitOne(
  store: Store,
  { request, id, deliveries, body, headers, ...read }: Admission,
  now: number
): AdmitResult {
  const row = store.find(request)
  if (row?.arrival.state !== 'quarantined') return 'unknown_request'
  const { reason: _reason, ...kept } = row.arrival
  const stored = { body: body ?? kept.body, headers: headers ?? kept.headers }
  const arrival = { ...kept, ...stored, state: 'accepted', id, deliveries, ...read } as const
  const known = store.find(arrival)
  if (known !== undefined) {
    const result = countDuplicate(known, arrival)
    countRecorded(store, arrival, result, now)
    if (result === 'duplicate') store.drop(row)
    return result
  }
  const admitted: Row = { ...row, arrival, about: sortKeys(read.about), resource: read.resource }
  replaceRow(store, row, admitted)
  for (const delivery of deliveries) addDelivery(store, admitted, delivery, now)
  countRecorded(store, arrival, 'accepted', now)
  return 'accepted'
}

/** Replaces a row by one with another key, in the same place in the order of arrival. */
function replaceRow({ rows }: Store, former: Row, row: Row): void {
  const all = [...rows.values()].map((each) => (each === former ? row : each))
  rows.clear()
  for (const each of all) rows.set(keyText(each.arrival), each)
}
