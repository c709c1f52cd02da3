/** One page of a list. */
export interface Page<Item> {
  readonly data: readonly Item[]
  readonly hasMore: boolean
}

/**
 * Reads a page: an array, or `{ hasMore, data }`, where both fields are optional.
 * @param limit the requested size. Without `hasMore`, a full page may be followed by another one.
 * @param read reads one item; undefined: it cannot be read
 * @returns undefined if the answer is neither, or an item cannot be read: skipping it would silently lose it
 */
export function readPage<Item>(
  answer: unknown,
  limit: number,
  read: (item: unknown) => Item | undefined
): Page<Item> | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined
  const fields: { data?: unknown; hasMore?: unknown } = Array.isArray(answer) ? { data: answer } : answer
  const { data, hasMore } = fields
  const items: unknown = data ?? []
  if (!Array.isArray(items)) return undefined
  const all = items.map(read)
  const readable = all.filter((item) => item !== undefined)
  if (readable.length < all.length) return undefined
  return { data: readable, hasMore: typeof hasMore === 'boolean' ? hasMore : items.length >= limit }
}

/**
 * Reads a list page by page, by the id of the last item seen. Relies on no order, and items may be added in between.
 * Yields an id once; an item without an id is yielded each time.
 * @param fetchPage fetches the page after an id, or the first one
 * @param endless the error for an endless list: its argument completes the sentence "there are more, but ..."
 * @param mostPages the most pages: a provider that always answers new items must not fill the memory
 */
export async function* walkPages<Item>(
  fetchPage: (after: string | undefined) => Promise<Page<Item>>,
  idOf: (item: Item) => string | undefined,
  endless: (why: string) => Error,
  mostPages = 10_000
): AsyncGenerator<Item, void, undefined> {
  const seen = new Set<string>()
  let after: string | undefined
  for (let pages = 1; ; pages += 1) {
    const { data, hasMore } = await fetchPage(after)
    const known = seen.size
    for (const item of data) {
      const id = idOf(item)
      if (id !== undefined) {
        after = id
        if (seen.has(id)) continue
        seen.add(id)
      }
      yield item
    }
    if (!hasMore) return
    // More pages, but nothing new: the provider ignores the cursor. Do not stop silently, as the list is incomplete.
    if (seen.size === known) throw endless('with none that is new')
    if (pages >= mostPages) throw endless(`after ${mostPages} pages`)
  }
}
