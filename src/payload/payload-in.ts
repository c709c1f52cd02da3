import type { AnyEvent } from '../model/event.ts'

/** Where an event holds its payload, unless its source names another place. */
export const defaultPayloadPath: readonly string[] = ['data', 'object']

/** Returns the payload of an event; undefined if the event has nothing at the path. */
export function payloadIn(event: AnyEvent, path: readonly string[]): unknown {
  let value: unknown = event
  for (const field of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[field]
  }
  return value
}
