import type { AlarmOptions } from '../options/riverhook-options.ts'
import { alarmSettings } from '../options/alarm-settings.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Alarm, AlarmChange } from '../model/alarm.ts'
import type { Log } from '../model/log.ts'
import { ownerName } from '../model/owner-name.ts'
import { msOf } from '../model/span.ts'
import { clearInterval, setInterval } from '../model/timers.ts'
import { listRaised } from '../observe/alarms/book.ts'
import { readEntries } from '../observe/alarms/state.ts'
import type { AlarmSubject } from '../observe/alarms/subject.ts'
import { AlarmWatch } from '../observe/alarms/watch.ts'
import { alarmSender } from './alarm-sender.ts'
import { Heartbeat } from './heartbeat.ts'

export interface AlarmsOptions {
  readonly given: AlarmOptions | false | undefined
  readonly onAlarm: ((alarm: AlarmChange) => unknown) | undefined
  readonly inbox: Inbox
  /** The endpoints, and how they are checked. */
  readonly subject: () => Omit<AlarmSubject, 'inbox' | 'silenceMs'>
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
    const { every = alarmSettings.every.default, silence, skip = [], heartbeat } = given
    const everyMs = msOf(every)
    const watch = new AlarmWatch({
      subject: { ...subject(), inbox, silenceMs: silence === undefined ? undefined : msOf(silence) },
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

  /** Lists the alarms that are raised, in all processes as far as the inbox knows them. */
  async list(): Promise<readonly Alarm[]> {
    return [...(this.#watch?.ownRaised ?? []), ...(await listAlarms(this.#options.inbox))]
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([this.#watch?.end(), this.#heartbeat?.end()])
  }
}

/** Lists the alarms that are raised, as the inbox has them. */
export async function listAlarms(inbox: Pick<Inbox, 'alarmState'>): Promise<readonly Alarm[]> {
  return listRaised(readEntries(await inbox.alarmState()))
}
