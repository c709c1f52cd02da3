/** One page of a list. */
export interface Page<Item> {
  readonly data: readonly Item[]
  readonly hasMore: boolean
}

/**
 * A page in an answer: a bare array, or `{ hasMore, data }`, where both fields are optional.
 * @param limit how many were asked for. Without `hasMore` a page that holds as many may have another one after it.
 * @param read one item; undefined: it cannot be read
 * @returns undefined when the answer is neither, or holds an item that cannot be read: to skip it would lose it in
 * silence
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
 * Walks a list page by page, by the id of the last item seen. No order is relied upon, and items may be added
 * meanwhile. An id that comes again is left out; an item without one cannot be told from others and is given each time.
 * @param fetchPage the page after an id, or the first one
 * @param endless the error for a list that does not end: its argument ends the sentence "there are more, but ..."
 * @param mostPages more pages than a list can have: a provider that answers ever new items must not fill the memory
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
    // Nothing new, and yet more: the cursor is not understood. To stop in silence would call a part the whole.
    if (seen.size === known) throw endless('with none that is new')
    if (pages >= mostPages) throw endless(`after ${mostPages} pages`)
  }
}
