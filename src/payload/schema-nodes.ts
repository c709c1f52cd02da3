/** Yields every object and list in a schema, including itself, each once: a schema may contain itself. */
export function* walkSchema(schema: unknown, seen = new Set<object>()): Generator<object> {
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) return
  seen.add(schema)
  yield schema
  for (const part of Object.values(schema) as readonly unknown[]) yield* walkSchema(part, seen)
}

/** Returns the field names that a schema uses. */
export function fieldNames(schema: object): ReadonlySet<string> {
  const fields = new Set<string>()
  for (const node of walkSchema(schema)) {
    const { properties, required } = node as { readonly properties?: unknown; readonly required?: unknown }
    if (typeof properties === 'object' && properties !== null)
      for (const field of Object.keys(properties)) fields.add(field)
    if (Array.isArray(required)) for (const field of required as readonly unknown[]) fields.add(String(field))
  }
  return fields
}
