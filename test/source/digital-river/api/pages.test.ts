import t from 'tap'

import { walkPages } from '../../../../src/source/digital-river/api/pages.ts'

// What a user would lose: the memory, and then the process, to a provider whose list never ends.

t.test('a list of ever new items ends after so many pages, and one that repeats itself at once', async (t) => {
  let pages = 0
  const fetchPage = async () => ({ data: [{ id: `e${(pages += 1)}` }], hasMore: true })
  const endless = (why: string) => new Error(`more, but ${why}`)
  await t.rejects(Array.fromAsync(walkPages(fetchPage, ({ id }) => id, endless, 50)), /more, but after 50 pages/)
  t.equal(pages, 50)
  const rounds = async (after: string | undefined) => ({ data: [{ id: after === 'a' ? 'b' : 'a' }], hasMore: true })
  await t.rejects(Array.fromAsync(walkPages(rounds, ({ id }) => id, endless)), /none that is new/)
})
