import type { Test } from 'tap'

import type { Inbox } from '../../src/index.ts'
import { arrival } from './arrivals.ts'

/** The promises of every engine with a separate reader. `open` returns an empty, open inbox. */
export async function readerContract(
  t: Test,
  open: (t: Test, options: { readonly readLimitMs?: number }) => Promise<Inbox>
): Promise<void> {
  const reads = (inbox: Inbox) => [
    () => inbox.events({ limit: 50 }),
    () => inbox.event({ realm: 'digital-river', id: '1' }),
    () => inbox.stats(),
    () => inbox.drifts(),
    () => inbox.handlers(),
    () => inbox.watermarks()
  ]

  // Risk: requests that are answered with 503 while somebody looks at a dashboard.
  t.test('an event is recorded while many reads wait for their turn', async (t) => {
    // On a busy machine, sixty reads take longer than the usual limit.
    const inbox = await open(t, { readLimitMs: 60_000 })
    await inbox.record(Array.from({ length: 200 }, (_, index) => arrival(String(index), ['ship'])))
    let done = 0
    const waiting = Array.from({ length: 10 }, () => reads(inbox))
      .flat()
      .map((read) =>
        read().then(() => {
          done += 1
        })
      )
    t.same(await inbox.record([arrival('between', ['ship'])]), ['accepted'])
    t.ok(done < waiting.length, 'it did not wait for all of them')
    await Promise.all(waiting)
  })

  t.test('a read sees all that was recorded before it', async (t) => {
    const inbox = await open(t, {})
    for (const id of ['1', '2', '3', '4', '5', '6', '7', '8']) {
      await inbox.record([arrival(id, ['ship'])])
      t.equal((await inbox.event({ realm: 'digital-river', id }))?.id, id)
      t.equal((await inbox.events({ limit: 10 })).events.length, Number(id))
      t.equal((await inbox.stats()).events, Number(id))
    }
  })

  t.test('an inbox that is closed during reads completes them', async (t) => {
    const inbox = await open(t, {})
    await inbox.record([arrival('1', ['ship'])])
    const waiting = Promise.all(reads(inbox).map((read) => read()))
    await inbox.close()
    const [page] = await waiting
    t.match(page, { events: [{ id: '1' }] })
  })
}
