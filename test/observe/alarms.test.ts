import t, { type Test } from 'tap'

import { memoryInbox, type Inbox } from '../../src/index.ts'
import { publish } from '../../src/model/channels.ts'
import { alarmConditions, alarmNames, type AlarmChange, type AlarmName } from '../../src/model/alarm.ts'
import type { AlarmEndpoint, AlarmSubject } from '../../src/observe/alarms/subject.ts'
import { AlarmWatch, type AlarmWatchOptions } from '../../src/observe/alarms/watch.ts'
import { arrival, quarantined, someMismatch } from '../inbox/arrivals.ts'
import { claim, settleAll } from '../inbox/contract.ts'
import { keysOf, realm } from '../event-keys.ts'
import { log } from './log.ts'

// Risk: an outage without an alarm, or an alarm that comes so often that it is not read any more.

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const path = '/hook'
const mark = `backfill ${path}`

class Rig {
  now = Date.parse('2026-03-02T08:00:00Z')
  freeShare: number | undefined
  detail: string | undefined
  registration = { state: 'in_sync', lastError: undefined as string | undefined }
  /** Counts the events that the provider misses here. Undefined: it cannot be asked. */
  missing: (() => Promise<number>) | undefined
  asked = 0
  backfillEveryMs: number | undefined = 15 * minute
  readonly inbox: Inbox = memoryInbox({ clock: () => this.now })
  readonly reported: AlarmChange[] = []
  readonly #watches: AlarmWatch[] = []

  watch(changes: Partial<AlarmWatchOptions> = {}, subject: Partial<AlarmSubject> = {}): AlarmWatch {
    const { backfillEveryMs, missing } = this
    const endpoint: AlarmEndpoint = {
      path,
      realm,
      backfillMark: mark,
      backfillEveryMs,
      countMissing:
        missing &&
        (async () => {
          this.asked += 1
          return missing()
        })
    }
    const watch = new AlarmWatch({
      subject: {
        inbox: this.inbox,
        endpoints: [endpoint],
        health: async () => ({ freeShare: this.freeShare, detail: this.detail }),
        registrations: () => [{ endpoint: path, ...this.registration }],
        maxBacklogAgeMs: 5 * minute,
        retentionMs: 30 * day,
        silenceMs: undefined,
        ...subject
      },
      inbox: this.inbox,
      owner: `process ${this.#watches.length}`,
      leaseMs: 90 * second,
      skipped: new Set(),
      onAlarm: (change) => this.reported.push(change),
      send: undefined,
      log,
      clock: () => this.now,
      ...changes
    })
    this.#watches.push(watch)
    return watch
  }

  count(outcome: string, count = 1): Promise<void> {
    return this.inbox.countRequests([{ endpoint: path, outcome, at: new Date(this.now), count }])
  }

  /** Lets time pass, with a round of each watch after each step. */
  async pass(ms: number, watches: readonly AlarmWatch[], each: () => unknown = () => undefined, stepMs = 30 * second) {
    for (const end = this.now + ms; this.now < end; ) {
      await each()
      this.now += stepMs
      for (const watch of watches) await watch.round()
    }
  }

  /** Takes the reports since the last call. */
  take(): string[] {
    return this.reported.splice(0).map(({ change, condition, subject }) => `${change} ${condition} ${subject}`.trim())
  }

  async end(): Promise<void> {
    for (const watch of this.#watches) await watch.end()
    await this.inbox.close()
  }
}

async function open(t: Test): Promise<Rig> {
  const rig = new Rig()
  await rig.inbox.open()
  t.teardown(() => rig.end())
  return rig
}

interface Case {
  readonly subject: string
  /** Before the condition holds. */
  readonly prepare?: (rig: Rig) => unknown
  readonly begin?: (rig: Rig) => unknown
  /** Called before each step while the condition holds. */
  readonly hold?: (rig: Rig) => unknown
  readonly end?: (rig: Rig) => unknown
  /** Called before each step while it does not hold. */
  readonly rest?: (rig: Rig) => unknown
  /** How long it takes until the condition holds, or no longer holds, after `begin` or `end`. */
  readonly beginMs?: number
  readonly endMs?: number
}

const fail = async ({ inbox }: Rig, id: string) => {
  await inbox.record([arrival(id, ['erp'])])
  await settleAll(inbox, await claim(inbox, ['erp']), { state: 'dead', error: 'no' })
}
const requests = async (rig: Rig, outcome: string) => {
  await rig.count('answered', 20)
  await rig.count(outcome, 12)
}
const healthy = async (rig: Rig) => {
  await rig.count('answered', 20)
  await rig.count('authentic', 20)
}
const attempts = (state: 'done' | 'dead') => async (rig: Rig) => {
  const { inbox } = rig
  await inbox.record(Array.from({ length: 10 }, (_, index) => arrival(`${rig.now}-${index}`, ['erp'])))
  const outcome = state === 'done' ? ({ state } as const) : ({ state, error: 'no' } as const)
  await settleAll(inbox, await claim(inbox, ['erp']), outcome)
}

const cases: Readonly<Record<AlarmName, Case>> = {
  silence: {
    subject: path,
    async prepare(rig) {
      rig.now -= 4 * day
      for (let count = 0; count < 96; count += 1) {
        await rig.count('authentic', 2)
        rig.now += hour
      }
    },
    beginMs: 6 * hour,
    end: (rig) => rig.count('authentic')
  },
  unauthenticated: {
    subject: path,
    hold: (rig) => rig.count('RIVERHOOK_RECEIVE_UNAUTHENTICATED', 5),
    beginMs: 15 * minute,
    end: (rig) => rig.count('authentic'),
    rest: (rig) => rig.count('authentic')
  },
  refusing: {
    subject: path,
    hold: (rig) => requests(rig, 'RIVERHOOK_INBOX_DEADLINE'),
    rest: healthy,
    endMs: 10 * minute
  },
  slow: { subject: path, hold: (rig) => requests(rig, 'slow'), rest: healthy, endMs: 10 * minute },
  clock: {
    subject: path,
    hold: (rig) => requests(rig, 'skewed'),
    rest: healthy,
    beginMs: 5 * minute,
    endMs: 10 * minute
  },
  stale: {
    subject: path,
    async hold(rig) {
      await rig.count('authentic', 10)
      await rig.count('late', 6)
    },
    rest: healthy,
    beginMs: 10 * minute,
    endMs: 30 * minute
  },
  inbox: {
    subject: '',
    begin(rig) {
      rig.detail = 'no space left on /secret/path'
    },
    end(rig) {
      rig.detail = undefined
    }
  },
  space: {
    subject: '',
    begin(rig) {
      rig.freeShare = 0.1
    },
    end(rig) {
      rig.freeShare = 0.5
    }
  },
  backlog: {
    subject: '',
    begin: (rig) => rig.inbox.record([arrival('late', ['erp'])]),
    end: (rig) => rig.inbox.remove(keysOf('late')),
    beginMs: 5 * minute
  },
  retention: {
    subject: '',
    begin: (rig) => rig.inbox.record([arrival('old', [], { receivedAt: new Date(rig.now - 32 * day) })]),
    end: (rig) => rig.inbox.remove(keysOf('old'))
  },
  failing: { subject: 'erp', hold: attempts('dead'), rest: attempts('done'), endMs: 10 * minute },
  dead: { subject: 'erp', begin: (rig) => fail(rig, 'dead'), end: (rig) => rig.inbox.remove(keysOf('dead')) },
  parked: {
    subject: 'erp',
    async begin(rig) {
      await rig.inbox.record([arrival('parked', ['erp'])])
      await rig.inbox.adopt([])
    },
    end: (rig) => rig.inbox.remove(keysOf('parked'))
  },
  quarantine: {
    subject: '',
    begin: (rig) => rig.inbox.record([quarantined('q')]),
    end: (rig) => rig.inbox.remove(keysOf('q'))
  },
  conflict: {
    subject: '',
    prepare: (rig) => rig.inbox.record([arrival('known')]),
    hold: (rig) => rig.inbox.record([arrival('known', [], { body: Buffer.from('other') })]),
    endMs: 2 * hour
  },
  drift: {
    subject: '',
    begin: (rig) => rig.inbox.flag([{ ...someMismatch, realm, firstAt: new Date(rig.now), lastAt: new Date(rig.now) }]),
    endMs: day
  },
  registration: {
    subject: path,
    begin(rig) {
      rig.registration.state = 'changed'
    },
    end(rig) {
      rig.registration.state = 'in_sync'
    }
  },
  backfill: {
    subject: path,
    async prepare(rig) {
      await rig.inbox.advance(realm, mark, new Date(rig.now))
    },
    beginMs: 45 * minute,
    end: (rig) => rig.inbox.advance(realm, mark, new Date(rig.now)),
    rest: (rig) => rig.inbox.advance(realm, mark, new Date(rig.now))
  }
}

/** Only this condition: some hold together, such as `failing` and `dead`. */
function only(name: AlarmName): ReadonlySet<AlarmName> {
  return new Set(alarmNames.filter((other) => other !== name))
}

for (const name of alarmNames) {
  const { prepare, begin, hold, end, rest, subject, beginMs = 0, endMs = 0 } = cases[name]
  const { forMs, resolveMs } = alarmConditions[name]
  const changed = (change: string) => [`${change} ${name} ${subject}`.trim()]

  t.test(`${name}: raised once, by one of two replicas, not again after a restart, and resolved once`, async (t) => {
    const rig = await open(t)
    const replicas = [rig.watch({ skipped: only(name) }), rig.watch({ skipped: only(name) })]
    // Each process reports for itself that it cannot write to the inbox.
    const reporters = name === 'inbox' ? 2 : 1
    const times = (lines: readonly string[]) => lines.flatMap((line) => Array.from({ length: reporters }, () => line))
    await prepare?.(rig)
    await rig.pass(minute, replicas, () => rest?.(rig))
    t.same(rig.take(), [], 'before')
    await begin?.(rig)
    await rig.pass(beginMs + Math.max(0, forMs - minute), replicas, () => hold?.(rig))
    if (forMs > minute) t.same(rig.take(), [], 'a short time is no alarm')
    await rig.pass(3 * minute, replicas, () => hold?.(rig))
    t.same(rig.take(), times(changed('raised')))
    for (const replica of replicas)
      t.match(replica.raised, name === 'backlog' ? [{ condition: name }] : [{ condition: name, subject }])

    await rig.pass(hour, replicas, () => hold?.(rig))
    for (const replica of replicas) await replica.end()
    const next = rig.watch({ skipped: only(name) })
    await rig.pass(hour, [next], () => hold?.(rig))
    if (name === 'inbox') t.same(rig.take(), changed('raised'), 'it could not be stored')
    else t.same(rig.take(), [], 'not again after a restart')

    await end?.(rig)
    await rig.pass(endMs + resolveMs + 3 * minute, [next], () => rest?.(rig))
    t.same(rig.take(), changed('resolved'))
    await rig.pass(hour, [next], () => rest?.(rig))
    t.same(rig.take(), [])
    t.same(next.raised, [])
  })

  t.test(`${name}: a condition that comes and goes is reported at most twice in an hour`, async (t) => {
    const rig = await open(t)
    const watch = rig.watch({ skipped: only(name) })
    await prepare?.(rig)
    for (let count = 0; count < 10; count += 1) {
      await begin?.(rig)
      await rig.pass(3 * minute, [watch], () => hold?.(rig))
      await end?.(rig)
      await rig.pass(3 * minute, [watch], () => rest?.(rig))
    }
    t.ok(rig.take().length <= 2)
  })
}

t.test('dead letters: worse from 10 on, reported again after a day, and not when some are gone', async (t) => {
  const rig = await open(t)
  const watch = rig.watch({ skipped: only('dead') })
  const ids = Array.from({ length: 12 }, (_, index) => `e${index}`)
  await fail(rig, ids[0]!)
  await rig.pass(minute, [watch])
  t.same(rig.take(), ['raised dead erp'])
  for (const id of ids.slice(1)) await fail(rig, id)
  await rig.pass(minute, [watch])
  t.match(rig.reported, [{ change: 'worse', level: 'error', value: 12, text: /^12 dead letters: / }])
  rig.take()
  await rig.inbox.remove(keysOf(...ids.slice(0, 6)))
  await rig.pass(minute, [watch])
  for (const id of ids.slice(0, 6)) await fail(rig, `${id}-again`)
  await rig.pass(23 * hour, [watch], undefined, 5 * minute)
  t.same(rig.take(), [])
  await rig.pass(2 * hour, [watch], undefined, 5 * minute)
  t.same(rig.take(), ['still dead erp'])
})

t.test('drift: a kind that a person has acknowledged is no alarm, and a new one is', async (t) => {
  const rig = await open(t)
  const watch = rig.watch({ skipped: only('drift') })
  const see = (path: string) =>
    rig.inbox.flag([{ ...someMismatch, realm, path, firstAt: new Date(rig.now), lastAt: new Date(rig.now) }])
  await see('data.object.state')
  await rig.pass(minute, [watch])
  t.same(rig.take(), ['raised drift'])
  await rig.inbox.acknowledge(await rig.inbox.drifts(), true)
  await rig.pass(hour, [watch], () => see('data.object.state'))
  t.same(rig.take(), ['resolved drift'], 'also while events of this kind arrive')
  await see('data.object.total')
  await rig.pass(minute, [watch])
  t.match(rig.reported, [{ change: 'raised', value: 1 }])
})

t.test(
  'silence: an endpoint is not judged before it is known, and a longer pause needs a longer silence',
  async (t) => {
    const rig = await open(t)
    const watch = rig.watch({ skipped: only('silence') })
    for (let count = 0; count < 30; count += 1) {
      await rig.count('authentic', 4)
      await rig.pass(hour, [watch], undefined, 5 * minute)
    }
    await rig.pass(20 * hour, [watch], undefined, 5 * minute)
    t.same(rig.take(), [], 'after two days')
    for (let count = 0; count < 30; count += 1) {
      await rig.count('authentic', 4)
      await rig.pass(hour, [watch], undefined, 5 * minute)
    }
    await rig.pass(58 * hour, [watch], undefined, 5 * minute)
    t.same(rig.take(), [], 'it was silent for 21 h before')
    await rig.pass(6 * hour, [watch], undefined, 5 * minute)
    t.same(rig.take(), [`raised silence ${path}`])
    await rig.pass(10 * day, [watch], undefined, 5 * minute)
    t.same([...new Set(rig.take())], [`still silence ${path}`], 'it lasts')
  }
)

t.test('silence: with a given limit, also while there was no request at all', async (t) => {
  const rig = await open(t)
  const watch = rig.watch({ skipped: only('silence') }, { silenceMs: 2 * hour })
  await rig.pass(119 * minute, [watch])
  t.same(rig.take(), [])
  await rig.pass(5 * minute, [watch])
  t.same(rig.take(), [`raised silence ${path}`])
  await watch.end()
  rig.now += day
  await rig.count('authentic')
  rig.now += day
  const next = rig.watch({ skipped: only('silence') }, { silenceMs: 2 * hour })
  await rig.pass(hour, [next])
  t.same(rig.take(), [`resolved silence ${path}`], 'the time without a server is no silence')
})

t.test('silence: the provider is asked first, once in an hour, and a quiet shop is no alarm', async (t) => {
  const rig = await open(t)
  let missing = 0
  let answer = () => missing
  rig.missing = async () => answer()
  const watch = rig.watch({ skipped: only('silence') }, { silenceMs: 2 * hour })
  await rig.count('authentic')
  await rig.pass(5 * hour, [watch])
  t.same(rig.take(), [])
  t.equal(rig.asked, 3)
  missing = 7
  await rig.pass(hour, [watch])
  t.match(rig.reported, [
    { change: 'raised', text: /^no authentic request for 5 h, and 7 events of the provider's list did not/ }
  ])
  t.equal(rig.asked, 4)
  await rig.pass(3 * hour, [watch])
  t.equal(rig.asked, 4, 'the answer is known')
  await rig.count('authentic')
  await rig.pass(minute, [watch])
  t.same(rig.take(), [`raised silence ${path}`, `resolved silence ${path}`])

  answer = () => {
    throw new Error('401 for key sk_secret')
  }
  await rig.pass(3 * hour, [watch])
  t.match(rig.reported, [
    { change: 'raised', text: /^no authentic request for 2 h; the provider's list of events could not/ }
  ])
})

t.test(
  'one message for all that changed at once; it is tried again, by another process too, and then dropped',
  async (t) => {
    const rig = await open(t)
    const sent: { readonly id: string; readonly body: string }[] = []
    let isDown = true
    const send = async (message: { readonly id: string; readonly body: string }) => {
      sent.push(message)
      if (isDown) throw new Error('503')
    }
    const lines: unknown[] = []
    const heard = { ...log, error: (keys: unknown, text: unknown) => lines.push([keys, text]) } as unknown as typeof log
    const first = rig.watch({ send, log: heard })
    await fail(rig, 'dead')
    await rig.inbox.record([quarantined('q')])
    await rig.pass(30 * second, [first])
    t.equal(sent.length, 1)
    await first.end()
    const next = rig.watch({ send, log: heard })
    await rig.pass(11 * minute, [next])
    t.equal(sent.length, 5)
    t.equal(new Set(sent.map(({ id }) => id)).size, 1)
    t.match(JSON.parse(sent[0]!.body), {
      type: 'riverhook.alarm',
      text: /^Riverhook \[warn\] .*\nRiverhook \[warn\] /,
      alarms: [{ change: 'raised' }, { change: 'raised' }]
    })
    t.match(lines, [[{ tries: 5 }, 'a message about alarms could not be sent, and is dropped']])
    isDown = false
    await fail(rig, 'dead2')
    await rig.inbox.remove(keysOf('q'))
    await rig.pass(hour, [next])
    t.equal(sent.length, 6)
    t.match(JSON.parse(sent[5]!.body), { text: /^Riverhook \[resolved\] quarantine: / })
  }
)

t.test('a check that fails changes nothing, and the others continue', async (t) => {
  const rig = await open(t)
  let isBroken = false
  const inbox = new Proxy(rig.inbox, {
    get(target, name) {
      if (name === 'levels' && isBroken) return () => Promise.reject(new Error('too slow'))
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
  const watch = rig.watch({}, { inbox })
  await fail(rig, 'dead')
  await rig.pass(minute, [watch])
  isBroken = true
  rig.freeShare = 0.01
  await rig.pass(hour, [watch])
  t.same(rig.take(), ['raised dead erp', 'raised space'])
  t.match(watch.raised, [{ condition: 'space' }, { condition: 'dead' }])
})

t.test('the reason of the last refused request is in the alarm; a callback that fails is logged', async (t) => {
  const rig = await open(t)
  const lines: unknown[] = []
  const heard = { ...log, error: (_keys: unknown, text: unknown) => lines.push(text) } as unknown as typeof log
  const watch = rig.watch({
    skipped: only('unauthenticated'),
    log: heard,
    onAlarm: () => {
      throw new Error('no')
    }
  })
  publish('rejected', {
    endpoint: path,
    realm,
    code: 'RIVERHOOK_RECEIVE_UNAUTHENTICATED',
    status_code: 401,
    reason: 'the signature was made with another secret'
  })
  await rig.count('RIVERHOOK_RECEIVE_UNAUTHENTICATED', 5)
  await rig.pass(minute, [watch])
  t.match(watch.raised, [
    { text: /5 were refused in 15 min; the last one: the signature was made with another secret$/ }
  ])
  t.match(lines, [/^alarm: no request has right credentials/, 'onAlarm failed'])
})
