import type { AnyEvent } from '../model/event.ts'

/** Where the payload is in an event, unless its source says otherwise. */
export const defaultPayloadPath: readonly string[] = ['data', 'object']

/** The payload of an event; undefined where there is nothing at the path. */
export function payloadIn(event: AnyEvent, path: readonly string[]): unknown {
  let value: unknown = event
  for (const field of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[field]
  }
  return value
}
