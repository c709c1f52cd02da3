/**
 * Merges objects field by field. Lists and everything else are replaced, and undefined removes a field.
 */
export function merge(
  made: Readonly<Record<string, unknown>>,
  chosen: Readonly<Record<string, unknown>>
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...made }
  for (const [field, value] of Object.entries(chosen)) {
    const below = merged[field]
    if (value === undefined) Reflect.deleteProperty(merged, field)
    else merged[field] = isObject(value) && isObject(below) ? merge(below, value) : value
  }
  return merged
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
