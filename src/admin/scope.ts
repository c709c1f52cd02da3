/**
 * The rights of an operator. `read`: look, with personal data masked. `reveal`: see and export payloads unmasked.
 * `operate`: replay, remove, synchronise, fetch. `erase`: erase a person's data.
 */
export const scopes = ['read', 'reveal', 'operate', 'erase'] as const

export type Scope = (typeof scopes)[number]

export function isScope(value: unknown): value is Scope {
  return (scopes as readonly unknown[]).includes(value)
}
