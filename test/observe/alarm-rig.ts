import type { Test } from 'tap'

import { memoryInbox, type Inbox } from '../../src/index.ts'
import { alarmNames, type AlarmChange, type AlarmName } from '../../src/model/alarm.ts'
import type { AlarmEndpoint, AlarmSubject } from '../../src/observe/alarms/subject.ts'
import { AlarmWatch, type AlarmWatchOptions } from '../../src/observe/alarms/watch.ts'
import { arrival, quarantined, someMismatch } from '../inbox/arrivals.ts'
import { claim, settleAll } from '../inbox/contract.ts'
import { keysOf, realm } from '../event-keys.ts'
import { log } from './log.ts'

export const second = 1_000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour
export const path = '/hook'
const mark = `backfill ${path}`

/** Watches over one inbox, and a clock that stands still between the steps. */
export class Rig {
  now = Date.parse('2026-03-02T08:00:00Z')
  freeShare: number | undefined
  detail: string | undefined
  /** Undefined: this process does not watch it yet. */
  registration: { readonly state: string; readonly lastError?: string | undefined } | undefined = { state: 'in_sync' }
  /** Counts the events that the provider misses here. Undefined: it cannot be asked. */
  missing: ((signal: AbortSignal) => Promise<number>) | undefined
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
      gapMark: `${mark} gap`,
      isRegistered: true,
      backfillEveryMs,
      countMissing:
        missing &&
        (async ({ signal }) => {
          this.asked += 1
          return missing(signal)
        })
    }
    const watch = new AlarmWatch({
      subject: {
        inbox: this.inbox,
        endpoints: [endpoint],
        health: async () => ({ freeShare: this.freeShare, detail: this.detail }),
        registrations: () =>
          this.registration === undefined ? [] : [{ endpoint: path, lastError: undefined, ...this.registration }],
        maxBacklogAgeMs: 5 * minute,
        retention: { doneMs: 30 * day, deadMs: 180 * day, quarantinedMs: 180 * day },
        silenceMs: undefined,
        quietHours: undefined,
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

/** Opens an inbox that ends with the test. */
export async function open(t: Test): Promise<Rig> {
  const rig = new Rig()
  await rig.inbox.open()
  t.teardown(() => rig.end())
  return rig
}

export interface Case {
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

export const fail = async ({ inbox, now }: Rig, id: string) => {
  await inbox.record([arrival(id, ['erp'], { receivedAt: new Date(now) })])
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
  const outcome = state === 'done' ? ({ state } as const) : ({ state, error: 'buyer@example.com is unknown' } as const)
  await settleAll(inbox, await claim(inbox, ['erp']), outcome)
}

/** How each condition begins and ends. */
export const cases: Readonly<Record<AlarmName, Case>> = {
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
    end: async (rig) => rig.inbox.acknowledge(await rig.inbox.drifts(), true)
  },
  registration: {
    subject: path,
    begin(rig) {
      rig.registration = { state: 'changed' }
    },
    end(rig) {
      rig.registration = { state: 'in_sync' }
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
export function only(name: AlarmName): ReadonlySet<AlarmName> {
  return new Set(alarmNames.filter((other) => other !== name))
}

/** Collects the lines of a log. */
export function heard() {
  const lines: string[] = []
  const add = (_keys: unknown, text: unknown): unknown => lines.push(String(text))
  return { lines, log: { ...log, warn: add, error: add, info: add } as unknown as typeof log }
}

/** Waits for something that other promises do. */
export async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise(setImmediate)
}
