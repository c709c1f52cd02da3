import { catalogue, type CatalogueEntry } from './catalogue.ts'

interface Payload {
  readonly data: { readonly object: object; readonly previousAttributes?: object }
}

/**
 * The id of the resource that an event is about, for any event type: an `orderBy` for a handler of many types. Usually
 * `data.object.id`. For a subscription with its invoice it is the subscription's id; after a deletion it may be in
 * `data.previousAttributes`. Of `order.charge.created` it is the charge's: `orderIdOf` gives the order's.
 * @returns undefined if the payload has no id
 */
export function resourceIdOf({ data: { object, previousAttributes } }: Payload): string | undefined {
  return idIn(object) ?? idIn(partOf(object, 'subscription')) ?? idIn(previousAttributes)
}

const entries = new Map<string, CatalogueEntry>(Object.entries(catalogue))

/**
 * The id of the order that an event is about: an `orderBy` that keeps the events of one order in line, whatever their
 * resource is. More than half of the types `order.*` carry a charge or an invoice, whose own id is another one in each
 * event of an order.
 * @returns undefined if the event names no order
 */
export function orderIdOf(event: Payload & { readonly type: string }): string | undefined {
  const { type, data } = event
  const { object } = data
  const named =
    idIn(object, 'orderId') ?? idIn(partOf(object, 'orderDetails')) ?? idIn(partOf(object, 'invoice'), 'orderId')
  if (named !== undefined) return named
  const entry = entries.get(type)
  // A new type `order.x` most likely carries the order.
  const isOrder = entry === undefined ? type.startsWith('order.') : entry.resource === 'Order'
  return isOrder ? resourceIdOf(event) : undefined
}

function partOf(value: object, name: string): unknown {
  return (value as Readonly<Record<string, unknown>>)[name]
}

function idIn(value: unknown, name = 'id'): string | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  const id: unknown = partOf(value, name)
  if (typeof id === 'number') return String(id)
  return typeof id === 'string' && id !== '' ? id : undefined
}
