import type { RiverhookError } from '../../model/errors.ts'
import { isRowError } from './faults.ts'

/**
 * Stores a batch with `store`. After an error that a single item may have caused, such as a row that a trigger rejects,
 * stores the two halves separately.
 * @returns for each item, in order, the result of `store`, or the error if the item was rejected on its own
 * @throws {RiverhookError} RIVERHOOK_INBOX_UNAVAILABLE for an error that concerns the whole batch
 */
export async function inParts<Item, Result>(
  batch: readonly Item[],
  store: (part: readonly Item[]) => Promise<readonly Result[]>
): Promise<readonly (Result | RiverhookError)[]> {
  try {
    return await store(batch)
  } catch (error) {
    if (!isRowError(error)) throw error
    if (batch.length < 2) return [error]
    const half = Math.ceil(batch.length / 2)
    return [...(await inParts(batch.slice(0, half), store)), ...(await inParts(batch.slice(half), store))]
  }
}
