import t from 'tap'

import { walkPages } from '../../../../src/source/digital-river/api/pages.ts'

// Risk: the memory and then the process, for a provider whose list never ends.

t.test('a list that never ends is stopped at a page limit, and a repeating one at once', async (t) => {
  let pages = 0
  const fetchPage = async () => ({ data: [{ id: `e${(pages += 1)}` }], hasMore: true })
  const endless = (why: string) => new Error(`more, but ${why}`)
  await t.rejects(Array.fromAsync(walkPages(fetchPage, ({ id }) => id, endless, 50)), /more, but after 50 pages/)
  t.equal(pages, 50)
  const rounds = async (after: string | undefined) => ({ data: [{ id: after === 'a' ? 'b' : 'a' }], hasMore: true })
  await t.rejects(Array.fromAsync(walkPages(rounds, ({ id }) => id, endless)), /none that is new/)
})
