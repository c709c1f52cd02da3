import type { Bounds } from '../wanted.ts'
import type { Row } from './database.ts'

/** Makes the placeholder of a value in a statement. */
export type AddValue = (value: unknown, type?: string) => string

/** Collects the values of a statement. */
export function collectValues(): { readonly values: unknown[]; readonly value: AddValue } {
  const values: unknown[] = []
  return { values, value: (value, type = 'text') => `$${values.push(value)}::${type}` }
}

export function aboveOf({ above = 0 }: Bounds, value: AddValue): string {
  return value(above, 'bigint')
}

export function belowOf({ below = Infinity }: Bounds, value: AddValue): string {
  return value(Math.min(below, Number.MAX_SAFE_INTEGER), 'bigint')
}

/** Adds the bounds that a row has as `first` and `last`. */
export function narrowTo({ above = 0, below = Infinity }: Bounds, row: Row | undefined): Bounds {
  return { above: Math.max(above, Number(row?.['first']) - 1), below: Math.min(below, Number(row?.['last']) + 1) }
}
