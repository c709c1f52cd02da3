import { join } from 'node:path'

import { pino } from 'pino'
import t from 'tap'

import { memoryInbox, RiverhookError, sqliteInbox, type CountedRequests, type TallyQuery } from '../../src/index.ts'
import { RequestCounts } from '../../src/receive/request-counts.ts'
import { makeFolder } from '../folder.ts'
import { event, listen, post, signatureHeaders, startReceiver } from './receiver.ts'

const log = pino({ level: 'silent' })

function today(): TallyQuery {
  return {
    since: new Date(Date.now() - 3_600_000),
    until: new Date(Date.now() + 60_000),
    step: 'hour',
    kind: 'request'
  }
}

// Risk: an alarm for "all requests are refused" that never comes, or an attacker who fills the memory or the disk.
t.test('requests are in the tally after a normal stop, by endpoint, code and note', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  const receiver = await listen(await startReceiver(t, { inbox: `sqlite:${path}` }))
  t.equal((await post(receiver.url, event())).status, 202)
  const body = event()
  for (const wrong of ['whk_a', 'whk_b', 'whk_c'])
    t.equal((await post(receiver.url, body, signatureHeaders(body, wrong))).status, 401)
  t.equal((await post(receiver.url, event({ type: 7 }))).status, 400)
  t.equal((await post(receiver.url, event({ id: 'old', createdTime: '2020-01-01T00:00:00.000Z' }))).status, 202)
  await receiver.app.close()
  const inbox = sqliteInbox({ path })
  await inbox.open()
  t.teardown(() => inbox.close())
  t.same(
    (await inbox.tally(today()))
      // On a loaded machine, some are.
      .filter(({ outcome }) => outcome !== 'slow')
      .map(({ name, outcome, count }) => [name, outcome, count]),
    [
      ['/webhooks/digital-river', 'RIVERHOOK_RECEIVE_BAD_ENVELOPE', 1],
      ['/webhooks/digital-river', 'RIVERHOOK_RECEIVE_UNAUTHENTICATED', 3],
      ['/webhooks/digital-river', 'answered', 6],
      ['/webhooks/digital-river', 'authentic', 3],
      ['/webhooks/digital-river', 'late', 1]
    ]
  )
})

t.test('counts are stored at intervals; while the inbox is unavailable, they are kept', async (t) => {
  const inbox = memoryInbox()
  await inbox.open()
  let failures = 2
  const stored = Promise.withResolvers<undefined>()
  // The timer of the counts does not keep a process alive.
  const alive = setInterval(() => undefined, 60_000)
  t.teardown(() => {
    clearInterval(alive)
  })
  const countRequests = async (refused: readonly CountedRequests[]): Promise<void> => {
    if (failures-- > 0) throw new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', 'the disk is full')
    await inbox.countRequests(refused)
    stored.resolve(undefined)
  }
  const counts = new RequestCounts({ inbox: { countRequests }, log, everyMs: 1 })
  counts.count('/a', 'ONE')
  counts.count('/a', 'ONE')
  counts.count('/b', 'TWO')
  await stored.promise
  counts.count('/b', 'TWO')
  await counts.end()
  t.match(await inbox.tally(today()), [
    { name: '/a', outcome: 'ONE', count: 2 },
    { name: '/b', outcome: 'TWO', count: 2 }
  ])
})

t.test('an outage of days keeps a bounded number of counts, and loses none', async (t) => {
  let isAvailable = false
  const batches: (readonly CountedRequests[])[] = []
  const countRequests = async (refused: readonly CountedRequests[]): Promise<void> => {
    if (!isAvailable) throw new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', 'no database')
    batches.push(refused)
  }
  const counts = new RequestCounts({ inbox: { countRequests }, log })
  for (let minute = 0; minute < 3_000; minute += 1) counts.count('/a', 'ONE', minute * 60_000)
  isAvailable = true
  await counts.end()
  const all = batches.flat()
  t.equal(all.length, 1_440)
  t.equal(
    all.reduce((sum, { count }) => sum + count, 0),
    3_000
  )
  t.ok(batches.length > 1, 'in batches')
})

t.test('counts that cannot be stored at the end are logged', async (t) => {
  const lines: unknown[] = []
  const counts = new RequestCounts({
    inbox: { countRequests: () => Promise.reject(new Error('no database')) },
    log: pino({}, { write: (line: string) => lines.push(JSON.parse(line)) })
  })
  counts.count('/a', 'ONE')
  counts.count('/a', 'TWO')
  await counts.end()
  t.match(lines, [{ requests: 2, msg: 'refused requests could not be counted in the inbox' }])
})
