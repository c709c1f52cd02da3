import type { Statements } from './statements.ts'

/** Makes the next waiting delivery of a key due, unless another one holds the key. */
export function promote(sql: Statements, handler: string, orderKey: string | null): void {
  if (orderKey === null || sql.keyIsHeld.get(handler, orderKey) !== undefined) return
  const next = sql.nextOfKey.get(handler, orderKey)
  if (next !== undefined) sql.setState.run('pending', Number(next['id']))
}
