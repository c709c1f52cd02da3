import { catalogue, type CatalogueEntry } from './catalogue.ts'
import type { Resources } from './resources/index.ts'
import schemas from './schemas.json' with { type: 'json' }

const resourceSchemas: Readonly<Record<keyof Resources, object>> = schemas
/** For types whose object may be empty. */
const lenientSchemas = Object.fromEntries(
  Object.entries(resourceSchemas).map(([resource, schema]) => [resource, { ...schema, required: [] }])
)
const entries = new Map<string, CatalogueEntry>(Object.entries(catalogue))

/**
 * The JSON Schema of an event type's `data.object`, the same object on every call; undefined if the type or its
 * resource is unknown.
 */
export function schemaOf(type: string): object | undefined {
  const entry = entries.get(type)
  if (entry?.resource === undefined) return undefined
  return (entry.mayBeEmpty ? lenientSchemas : resourceSchemas)[entry.resource]
}
