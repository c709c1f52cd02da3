import type { RiverhookError } from '../../model/errors.ts'
import { isOfOneRow } from './faults.ts'

/**
 * Stores a batch with `store`. After an error that a single item may have caused, such as a row that a trigger refuses,
 * stores the two halves separately.
 * @returns for each item, in order, what `store` returns; the error for an item that alone is refused
 * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE for an error that is of all
 */
export async function inParts<Item, Result>(
  batch: readonly Item[],
  store: (part: readonly Item[]) => Promise<readonly Result[]>
): Promise<readonly (Result | RiverhookError)[]> {
  try {
    return await store(batch)
  } catch (error) {
    if (!isOfOneRow(error)) throw error
    if (batch.length < 2) return [error]
    const half = Math.ceil(batch.length / 2)
    return [...(await inParts(batch.slice(0, half), store)), ...(await inParts(batch.slice(half), store))]
  }
}
