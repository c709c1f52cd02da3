import t from 'tap'

import { RiverhookError, type Inbox, type Mismatch } from '../../src/index.ts'
import type { Log } from '../../src/model/log.ts'
import { DriftLog } from '../../src/payload/drift-log.ts'

// Risk: mismatches that are counted wrongly or logged again and again, or that fill the memory while the inbox is slow.

t.test(
  'counts that the inbox can never store are dropped with a warning, so that the others are written',
  async (t) => {
    const lines: object[] = []
    const flagged: string[][] = []
    const log = {
      warn: (line: object) => {
        lines.push(line)
      }
    } as unknown as Log
    const inbox: Pick<Inbox, 'flag' | 'drifts'> = {
      drifts: async () => [],
      async flag(notes) {
        flagged.push(notes.map(({ path }) => path))
        return notes.map(({ path }) =>
          path === 'never' ? new RiverhookError('RIVERHOOK_INBOX_UNAVAILABLE', 'not this one') : 'flagged'
        )
      }
    }
    const drifts = new DriftLog({ inbox, log })
    drifts.count(
      { id: '1', type: 'a', liveMode: false, createdTime: '' },
      { realm: 'digital-river', path: '/' },
      ['b', 'never'].map((path) => ({ path, rule: 'type', handler: '' }))
    )
    await drifts.end()
    await drifts.end()
    t.same(flagged, [['b', 'never']])
    t.match(lines.at(-1), { kinds: 1, reason: /not this one/ })

    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    drifts.count({ id: '2', type: 'a' }, { realm: 'digital-river', path: '/' }, [
      { path: 'late', rule: 'type', handler: '' }
    ])
    t.match(lines.at(-1), { path: 'late' }, 'one that is found after the end, by a backfill for example, is logged')
    t.equal(timers(), before, 'and keeps no process alive')
  }
)

t.test('a mismatch that comes while the known ones are loaded is counted, and logged if it is not known', async (t) => {
  const paths: unknown[] = []
  const flagged: Mismatch[] = []
  const log = {
    warn: ({ path }: { path: string }) => {
      paths.push(path)
    }
  } as unknown as Log
  const loaded = Promise.withResolvers<readonly Mismatch[]>()
  const inbox: Pick<Inbox, 'flag' | 'drifts'> = {
    drifts: () => loaded.promise,
    async flag(notes) {
      flagged.push(...notes)
      return notes.map(() => 'flagged')
    }
  }
  const drifts = new DriftLog({ inbox, log })
  drifts.start()
  const mismatches = ['known', 'new'].map((path) => ({ path, rule: 'type', handler: '' }))
  drifts.count({ id: '1', type: 'a' }, { realm: 'digital-river', path: '/' }, mismatches)
  const kind = { realm: 'digital-river', type: 'a', path: 'known', rule: 'type', handler: '' }
  const at = new Date(0)
  loaded.resolve([{ ...kind, count: 1, firstAt: at, lastAt: at, eventId: '0' }])
  await drifts.end()
  t.same(paths, ['new'])
  t.same(
    flagged.map(({ path }) => path),
    ['known', 'new']
  )
})

t.test('while the known kinds are loaded, a thousand events wait, and the others are logged at once', async (t) => {
  const ids: unknown[] = []
  const log = {
    warn: ({ event_id }: { event_id: string }) => {
      ids.push(event_id)
    }
  } as unknown as Log
  const loaded = Promise.withResolvers<readonly Mismatch[]>()
  const counts: number[] = []
  const inbox: Pick<Inbox, 'flag' | 'drifts'> = {
    drifts: () => loaded.promise,
    async flag(notes) {
      counts.push(...notes.map(({ count }) => count))
      return notes.map(() => 'flagged')
    }
  }
  const drifts = new DriftLog({ inbox, log })
  drifts.start()
  const mismatch = { path: 'data', rule: 'type', handler: '' }
  for (let id = 1; id <= 1_002; id += 1)
    drifts.count({ id: String(id), type: 'a' }, { realm: 'digital-river', path: '/' }, [mismatch])
  t.same(ids, ['1001'])
  loaded.resolve([])
  await drifts.end()
  t.same(ids, ['1001'], 'once')
  t.same(counts, [1_002], 'all are counted')
})

t.test('an inbox that never answers delays neither the counts nor the end for long', async (t) => {
  const flagged: string[] = []
  const inbox: Pick<Inbox, 'flag' | 'drifts'> = {
    drifts: () => new Promise(() => undefined),
    async flag(notes) {
      flagged.push(...notes.map(({ path }) => path))
      return notes.map(() => 'flagged')
    }
  }
  const drifts = new DriftLog({ inbox, log: { warn: () => undefined } as unknown as Log, everyMs: 1 })
  drifts.start()
  drifts.count({ id: '1', type: 'a' }, { realm: 'digital-river', path: '/' }, [
    { path: 'b', rule: 'type', handler: '' }
  ])
  await drifts.end()
  t.same(flagged, ['b'])
})
