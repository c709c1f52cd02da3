import type { Database } from './database.ts'

/** Returns the key that the processes of this schema sign with. @param proposed is stored if there is none yet */
export async function findSigningKey(database: Database, proposed: Uint8Array): Promise<Uint8Array> {
  return database.transaction(async (tx) => {
    await tx.query('INSERT INTO riverhook.signing (one, key) VALUES (true, $1) ON CONFLICT (one) DO NOTHING', [
      proposed
    ])
    const [row] = await tx.query('SELECT key FROM riverhook.signing')
    return row?.['key'] as Uint8Array
  })
}
