import t from 'tap'

import type { Inbox, ReplayTarget } from '../../src/inbox/inbox.ts'
import { memoryInbox } from '../../src/inbox/memory/engine.ts'
import { runJob, type RunJobOptions } from '../../src/inbox/run-job.ts'
import type { NewJob } from '../../src/model/job.ts'
import { keyOf, named } from '../event-keys.ts'
import { arrival } from './arrivals.ts'
import { replayOfAll } from './contract-jobs.ts'
import { claim, ids, settleAll } from './contract.ts'

const leaseMs = 60_000

/** An inbox in which the events with these ids and order keys are dead. */
async function openWith(events: readonly (readonly [id: string, orderKey?: string | undefined])[]) {
  let now = 1_000_000_000_000
  const inbox = memoryInbox({ clock: () => now })
  await inbox.open()
  await inbox.adopt(named('ship').map((handler) => ({ ...handler, pattern: '*' })))
  await inbox.record(events.map(([id, orderKey]) => arrival(id, [{ handler: 'ship', orderKey }])))
  for (let open = await claim(inbox, ['ship']); open.length > 0; open = await claim(inbox, ['ship']))
    await settleAll(inbox, open, { state: 'dead', error: 'no' })
  return {
    inbox,
    advance: (ms: number) => {
      now += ms
    }
  }
}

/** Adds a job, claims it and runs it. */
async function run(inbox: Inbox, given: Partial<NewJob> = {}, options: Partial<RunJobOptions> = {}) {
  await inbox.addJob({
    ...replayOfAll,
    limit: undefined,
    ratePerSecond: undefined,
    upTo: await inbox.position(),
    ...given
  })
  return runAgain(inbox, options)
}

async function runAgain(inbox: Inbox, options: Partial<RunJobOptions> = {}) {
  const claimed = await inbox.claimJob({ owner: 'me', leaseMs })
  const { signal } = new AbortController()
  return runJob(claimed!, { inbox, handlers: { for: () => [] }, leaseMs, signal, ...options })
}

/** The inbox, with another behaviour of `replayInJob`. */
function withReplay(inbox: Inbox, replayInJob: Inbox['replayInJob']): Inbox {
  return new Proxy(inbox, {
    get: (target, name) => {
      if (name === 'replayInJob') return replayInJob
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}

const statesOf = async (inbox: Inbox) =>
  (await inbox.events({ limit: 100, oldestFirst: true })).events.map(
    ({ id, deliveries }) => `${id} ${deliveries[0]?.state}`
  )

t.test('all deliveries are replayed and counted', async (t) => {
  const { inbox } = await openWith([['1'], ['2'], ['3']])
  t.equal(await run(inbox, { filter: { state: 'dead' } }), 'done')
  t.same(await statesOf(inbox), ['1 pending', '2 pending', '3 pending'])
  t.match(await inbox.jobs({ limit: 1 }), [{ state: 'done', planned: 3, replayed: 3, created: 0, skipped: 0 }])
})

// Risk: of an order, "shipped" is handled before "accepted", which the job has not reached yet.
t.test('a line is replayed as a whole, also across sections: a later event cannot overtake', async (t) => {
  const { inbox } = await openWith([['1', 'k'], ['2', 'x'], ['3'], ['4', 'k'], ['5', 'x'], ['6', 'k']])
  const ran: string[] = []
  const spied = withReplay(inbox, async (lease, targets) => {
    const results = await inbox.replayInJob(lease, targets)
    // A dispatcher, and a provider that sends another event of the order.
    await inbox.record([arrival(`new ${ran.length}`, [{ handler: 'ship', orderKey: 'k' }])])
    for (let open = await claim(inbox, ['ship']); open.length > 0; open = await claim(inbox, ['ship'])) {
      ran.push(...ids(open))
      await settleAll(inbox, open, { state: 'done' })
    }
    return results
  })
  t.equal(await run(inbox, {}, { inbox: spied, mostInMemory: 1 }), 'done')
  t.same(
    ran.filter((id) => ['1', '4', '6'].includes(id) || id.startsWith('new 0')),
    ['1', '4', '6', 'new 0']
  )
  t.same(
    ran.filter((id) => ['2', '5'].includes(id)),
    ['2', '5']
  )
  t.equal(new Set(ran).size, ran.length, 'none runs twice')
  t.match(await inbox.jobs({ limit: 1 }), [{ replayed: 6 }])
})

// Risk: a process that is killed between two batches; a customer who is charged twice, or never.
t.test('after a crash, another process continues: none is replayed twice, none is left out', async (t) => {
  const count = 450
  const { inbox, advance } = await openWith(
    Array.from({ length: count }, (_, index) => [String(index), index % 5 === 0 ? 'k' : undefined] as const)
  )
  const runs = new Map<string, number>()
  const dispatch = async (state: 'done' | 'dead') => {
    for (let open = await claim(inbox, ['ship']); open.length > 0; open = await claim(inbox, ['ship'])) {
      for (const id of ids(open)) runs.set(id, (runs.get(id) ?? 0) + 1)
      await settleAll(inbox, open, state === 'done' ? { state } : { state, error: 'again' })
    }
  }
  let batches = 0
  const crashing = withReplay(inbox, async (lease, targets) => {
    batches += 1
    if (batches === 3) throw new Error('killed')
    return inbox.replayInJob(lease, targets)
  })
  await t.rejects(run(inbox, { includeDone: true }, { inbox: withoutEnd(crashing) }), { message: 'killed' })
  const [halfway] = await inbox.jobs({ limit: 1 })
  t.ok(halfway!.replayed > 0 && halfway!.replayed < count)
  t.equal(halfway!.state, 'running', 'its process had no time to say more')
  await dispatch('dead')
  advance(leaseMs)
  t.equal(await runAgain(inbox), 'done')
  await dispatch('done')
  t.same(new Set(runs.values()), new Set([1]))
  t.equal(runs.size, count)
  t.match(await inbox.jobs({ limit: 1 }), [{ state: 'done', replayed: count, skipped: 0 }])
})

/** The inbox of a process that is killed: it does not end its job. */
function withoutEnd(inbox: Inbox): Inbox {
  return new Proxy(inbox, {
    get: (target, name) => (name === 'endJob' ? async () => false : (Reflect.get(target, name, target) as unknown))
  })
}

t.test('an event that arrives after the plan is not replayed', async (t) => {
  const { inbox } = await openWith([['1']])
  const upTo = await inbox.position()
  await inbox.record([arrival('2', ['ship'])])
  await settleAll(inbox, await claim(inbox, ['ship']), { state: 'dead', error: 'no' })
  await run(inbox, { upTo })
  t.same(await statesOf(inbox), ['1 pending', '2 dead'])
})

t.test('a limit takes the deliveries of the oldest events', async (t) => {
  const { inbox } = await openWith([['1'], ['2'], ['3']])
  await run(inbox, { limit: 2 }, { mostInMemory: 1 })
  t.same(await statesOf(inbox), ['1 pending', '2 pending', '3 dead'])
})

t.test('a job that is stopped ends at the next batch', async (t) => {
  const { inbox } = await openWith([['1'], ['2'], ['3']])
  const stopping = withReplay(inbox, async (lease, targets) => {
    const results = await inbox.replayInJob(lease, targets)
    await inbox.stopJob(lease.id)
    return results
  })
  t.equal(await run(inbox, {}, { inbox: stopping, mostInMemory: 1 }), 'lost')
  t.match(await inbox.jobs({ limit: 1 }), [{ state: 'stopped', replayed: 1 }])
})

t.test('a job is handed back at a shutdown, and continued', async (t) => {
  const { inbox } = await openWith([['1'], ['2'], ['3']])
  const ending = new AbortController()
  const leaving = withReplay(inbox, async (lease, targets) => {
    const results = await inbox.replayInJob(lease, targets)
    ending.abort()
    return results
  })
  t.equal(await run(inbox, {}, { inbox: leaving, mostInMemory: 1, signal: ending.signal }), 'waiting')
  t.match(await inbox.jobs({ limit: 1 }), [{ state: 'waiting', replayed: 1 }])
  t.equal(await runAgain(inbox), 'done', 'at once, as it is not leased')
  t.match(await inbox.jobs({ limit: 1 }), [{ state: 'done', replayed: 3 }])
})

// Risk: 100,000 calls of a service in one second.
t.test('a rate spreads the due times of a batch evenly', async (t) => {
  const { inbox } = await openWith(Array.from({ length: 10 }, (_, index) => [String(index), 'k'] as const))
  const delays: (number | undefined)[][] = []
  const spied = withReplay(inbox, async (lease, targets: readonly ReplayTarget[]) => {
    delays.push(targets.map(({ dueInMs }) => dueInMs))
    return inbox.replayInJob(lease, targets)
  })
  await run(inbox, { ratePerSecond: 5 }, { inbox: spied })
  t.same(
    delays.map(({ length }) => length),
    [5, 5]
  )
  // Only the first ones can be due already when the batch is put in.
  const [, , ...later] = delays[0]!.map(Number)
  t.same(
    later.map((delay) => Math.round((delay - later[0]!) / 10) * 10),
    [0, 200, 400]
  )
  t.ok(delays[1]![0]! >= 0)
})

t.test('the reason why a replay is impossible is in the job, which is not repeated', async (t) => {
  const { inbox } = await openWith([['1']])
  const handlers = {
    for: () => ['new'],
    orderKey: () => {
      throw new Error('the handler new has no code here')
    }
  }
  await t.rejects(run(inbox, {}, { handlers }), { message: /no code/ })
  t.match(await inbox.jobs({ limit: 1 }), [{ state: 'failed', error: /no code/ }])
})

t.test('skipped deliveries are counted', async (t) => {
  const { inbox } = await openWith([['1'], ['2']])
  await inbox.replay([{ event: keyOf('1'), handler: 'ship' }])
  await settleAll(inbox, await claim(inbox, ['ship']), { state: 'done' })
  await run(inbox, { includeDone: false })
  t.match(await inbox.jobs({ limit: 1 }), [{ replayed: 1, skipped: 1 }])
})
