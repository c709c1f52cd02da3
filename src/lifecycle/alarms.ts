import type { AlarmOptions } from '../options/riverhook-options.ts'
import { alarmSettings } from '../options/alarm-settings.ts'
import { acknowledgeResult } from '../inbox/act-results.ts'
import { checkAlarmKeys } from '../inbox/check.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { AcknowledgeOptions } from '../interface.ts'
import type { Alarm, AlarmChange, AlarmKey, ListedAlarm } from '../model/alarm.ts'
import type { Log } from '../model/log.ts'
import { ownerName } from '../model/owner-name.ts'
import { msOf } from '../model/span.ts'
import { clearInterval, setInterval } from '../model/timers.ts'
import { readQuietHours } from '../model/quiet-hours.ts'
import { listStored } from '../observe/alarms/state.ts'
import type { AlarmSubject } from '../observe/alarms/subject.ts'
import { AlarmWatch } from '../observe/alarms/watch.ts'
import { alarmSender } from './alarm-sender.ts'
import type { Audit } from './audit.ts'
import { Heartbeat } from './heartbeat.ts'

export interface AlarmsOptions {
  readonly given: AlarmOptions | false | undefined
  readonly onAlarm: ((alarm: AlarmChange) => unknown) | undefined
  readonly inbox: Inbox
  /** The endpoints, and how they are checked. */
  readonly subject: () => Omit<AlarmSubject, 'inbox' | 'silenceMs' | 'quietHours'>
  readonly isReady: () => Promise<boolean>
  readonly log: Log
}

/** As many rounds may fail before another process raises the alarms. */
const leaseRounds = 3
/** The lease is longer than any step of a round, such as a question to the provider, or a message that is sent. */
const leastLeaseMs = 90_000

/** The alarms of a server: their rounds, and the sign of life. */
export class Alarms {
  readonly #options: AlarmsOptions
  #watch: AlarmWatch | undefined
  #heartbeat: Heartbeat | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(options: AlarmsOptions) {
    this.#options = options
  }

  /** The alarms that are raised, as of the last round. */
  get raised(): readonly Alarm[] {
    return this.#watch?.raised ?? []
  }

  /** Begins to check the conditions. The inbox must be open. */
  begin(): void {
    const { given = {}, onAlarm, inbox, subject, isReady, log } = this.#options
    if (given === false || this.#watch !== undefined) return
    const { every = alarmSettings.every.default, silence, quietHours, skip = [], heartbeat } = given
    const everyMs = msOf(every)
    const watch = new AlarmWatch({
      subject: {
        ...subject(),
        inbox,
        silenceMs: silence === undefined ? undefined : msOf(silence),
        quietHours: quietHours === undefined ? undefined : readQuietHours(quietHours)
      },
      inbox,
      owner: ownerName(),
      leaseMs: Math.max(leastLeaseMs, leaseRounds * everyMs),
      skipped: new Set(skip),
      onAlarm,
      send: alarmSender(given),
      log
    })
    this.#watch = watch
    this.#timer = setInterval(() => void watch.round(), everyMs).unref()
    if (heartbeat !== undefined) this.#heartbeat = new Heartbeat({ url: heartbeat, isReady, log })
  }

  /** Lists the alarms of all processes, as far as the inbox knows them. */
  async list(): Promise<readonly ListedAlarm[]> {
    return [...(this.#watch?.ownRaised ?? []), ...(await listAlarms(this.#options.inbox))]
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([this.#watch?.end(), this.#heartbeat?.end()])
  }
}

/** Lists the alarms that are raised or cannot be checked, as the inbox has them. */
export async function listAlarms(inbox: Pick<Inbox, 'alarmState'>): Promise<readonly ListedAlarm[]> {
  return listStored(await inbox.alarmState())
}

/** Acknowledges alarms, or takes that back. See `Riverhook.acknowledgeAlarms`. */
export async function acknowledgeAlarms(
  { inbox, audit }: { readonly inbox: Inbox; readonly audit: Audit },
  alarms: readonly AlarmKey[],
  { reopen = false, by }: AcknowledgeOptions = {}
): Promise<number> {
  const listed = (await listAlarms(inbox)).filter(({ state }) => state === (reopen ? 'acknowledged' : 'raised'))
  const chosen = checkAlarmKeys(alarms).filter((key) => listed.some((alarm) => isSame(alarm, key)))
  const [only, ...others] = chosen
  const target = only === undefined || others.length > 0 ? `${chosen.length} alarms` : describeAlarm(only)
  return audit.run(
    { ...(reopen ? { action: 'alarms.reopen' } : { action: 'alarms.acknowledge' }), target, by },
    (act) => inbox.acknowledgeAlarms(chosen, !reopen, act),
    (changed) => acknowledgeResult(!reopen, changed)
  )
}

function isSame(one: AlarmKey, other: AlarmKey): boolean {
  const isAboutSame = one.condition === other.condition && one.subject === other.subject
  return isAboutSame && one.since.getTime() === other.since.getTime()
}

function describeAlarm({ condition, subject }: AlarmKey): string {
  return [condition, subject].filter((part) => part !== '').join(' ')
}
