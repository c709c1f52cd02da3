import { catalogue, type CatalogueEntry } from './catalogue.ts'
import type { Resources } from './resources/index.ts'
import { readSchemas } from './schemas.ts'

/** For types whose object may be empty: by resource, each made on first use. */
const lenientSchemas = new Map<keyof Resources, object>()
const entries = new Map<string, CatalogueEntry>(Object.entries(catalogue))

/**
 * The JSON Schema of an event type's `data.object`, the same object on every call; undefined if the type or its
 * resource is unknown.
 */
export function schemaOf(type: string): object | undefined {
  const entry = entries.get(type)
  if (entry?.resource === undefined) return undefined
  const schema = readSchemas()[entry.resource]
  return entry.mayBeEmpty ? lenient(entry.resource, schema) : schema
}

function lenient(resource: keyof Resources, schema: object): object {
  const known = lenientSchemas.get(resource)
  if (known !== undefined) return known
  const made = { ...schema, required: [] }
  lenientSchemas.set(resource, made)
  return made
}
