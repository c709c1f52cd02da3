/** Every object and list in a schema, itself included, each once: a schema may refer to itself as an object, too. */
export function* nodesOf(schema: unknown, seen = new Set<object>()): Generator<object> {
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) return
  seen.add(schema)
  yield schema
  for (const part of Object.values(schema) as readonly unknown[]) yield* nodesOf(part, seen)
}

/** The names that a schema gives to fields. */
export function fieldsIn(schema: object): ReadonlySet<string> {
  const fields = new Set<string>()
  for (const node of nodesOf(schema)) {
    const { properties, required } = node as { readonly properties?: unknown; readonly required?: unknown }
    if (typeof properties === 'object' && properties !== null)
      for (const field of Object.keys(properties)) fields.add(field)
    if (Array.isArray(required)) for (const field of required as readonly unknown[]) fields.add(String(field))
  }
  return fields
}
