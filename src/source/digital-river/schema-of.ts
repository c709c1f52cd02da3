import { catalogue, type CatalogueEntry } from './catalogue.ts'
import type { Resources } from './resources/index.ts'
import schemas from './schemas.json' with { type: 'json' }

const resourceSchemas: Readonly<Record<keyof Resources, object>> = schemas
/** Those of types whose object may be empty. */
const emptySchemas = new Map<string, object>()
const entries = new Map<string, CatalogueEntry>(Object.entries(catalogue))

/** The JSON Schema of an event type's `data.object`, the same object each time; undefined where its resource, or the type, is not known. */
export function schemaOf(type: string): object | undefined {
  const entry = entries.get(type)
  if (entry?.resource === undefined) return undefined
  const schema = resourceSchemas[entry.resource]
  if (!entry.mayBeEmpty) return schema
  const known = emptySchemas.get(entry.resource)
  if (known !== undefined) return known
  const mayBeEmpty = { ...schema, required: [] }
  emptySchemas.set(entry.resource, mayBeEmpty)
  return mayBeEmpty
}
