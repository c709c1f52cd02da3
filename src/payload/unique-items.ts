import type { Ajv } from 'ajv'

/**
 * Replaces ajv's `uniqueItems`, which compares all pairs of items: a list of 50,000 objects took minutes.
 * @returns the given ajv
 */
export function withLinearUniqueItems<Instance extends Pick<Ajv, 'removeKeyword' | 'addKeyword'>>(
  ajv: Instance
): Instance {
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (isOn: boolean, items: readonly unknown[]) => !isOn || new Set(items.map(canonical)).size === items.length
  })
  return ajv
}

/** Returns the same text for equal JSON values only. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
  })
}
