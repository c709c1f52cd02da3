import type { Prepared } from './prepared.ts'

export const signingSql = {
  addSigningKey: 'INSERT INTO signing (one, key) VALUES (1, ?) ON CONFLICT (one) DO NOTHING',
  signingKey: 'SELECT key FROM signing'
} as const

/** Returns the key that the processes of this file sign with. @param proposed is stored if there is none yet */
export function findSigningKey(sql: Prepared<typeof signingSql>, proposed: Uint8Array): Uint8Array {
  sql.addSigningKey.run(proposed)
  return sql.signingKey.get()?.['key'] as Uint8Array
}
