import { createHash } from 'node:crypto'

/**
 * Identifies the tables of a schema by the text that creates them, except its white space. An inbox stores it: until
 * the first release, builds of the same version can have different tables.
 */
export function fingerprint(statements: readonly string[]): string {
  const text = statements.join('\n').replaceAll(/\s+/g, ' ').trim()
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
