import type { AcknowledgedAlarm, Inbox } from '../../inbox/inbox.ts'
import type { Alarm, AlarmChange, AlarmName, ListedAlarm } from '../../model/alarm.ts'
import { channels, publish, type RejectedMessage } from '../../model/channels.ts'
import { loggedError } from '../../model/error-text.ts'
import type { Log } from '../../model/log.ts'
import { assertBegun } from '../../model/not-begun.ts'
import { shorten } from '../../model/shorten.ts'
import { isAbout, listRaised, updateAlarms, type AlarmBook, type AlarmEntry } from './book.ts'
import { findAll } from './find.ts'
import { composeMessage, keepUnsent, sendDue, type AlarmMessage, type SendDue, type SendMessage } from './messages.ts'
import { continueState, packState, readEntries, type AlarmsState } from './state.ts'
import { findAboutInbox } from './store.ts'
import type { AlarmSubject } from './subject.ts'
import { Turn } from './turn.ts'
import { updateUnchecked } from './unchecked.ts'

export interface AlarmWatchOptions {
  readonly subject: AlarmSubject
  readonly inbox: Pick<Inbox, 'holdAlarms' | 'saveAlarms' | 'now'>
  /** The name of this process. */
  readonly owner: string
  /** How long this process alone may raise alarms after a round. */
  readonly leaseMs: number
  readonly skipped: ReadonlySet<AlarmName>
  readonly onAlarm: ((alarm: AlarmChange) => unknown) | undefined
  /** Undefined: nothing is sent. */
  readonly send: SendMessage | undefined
  readonly log: Log
  /** Milliseconds since the epoch. Default `Date.now`; given by tests. */
  readonly clock?: (() => number) | undefined
}

/** In characters of the reason why a request was not authentic. */
const longestReason = 300

/**
 * Checks the conditions of the alarms, and reports what changed. Of the processes that use an inbox, one does so at a
 * time. It leaves its state in the inbox, so that the next one repeats nothing. Only the condition `inbox` is checked
 * by each process for itself, because an inbox that cannot be written to cannot choose one of them.
 */
export class AlarmWatch {
  readonly #options: AlarmWatchOptions
  readonly #clock: () => number
  /** The last reason of a request that was not authentic, by endpoint. */
  readonly #reasons = new Map<string, string>()
  readonly #ending = new AbortController()
  readonly #onRejected: (message: unknown) => void
  #own: AlarmBook = { entries: [], resolved: [] }
  #ownUnsent: readonly AlarmMessage[] = []
  #shared: readonly AlarmEntry[] = []
  /** Undefined while another process raises the alarms. */
  #turn: Turn | undefined
  #isFailing = false
  #round: Promise<void> | undefined

  constructor(options: AlarmWatchOptions) {
    this.#options = options
    this.#clock = options.clock ?? Date.now
    const paths = new Set(options.subject.endpoints.map(({ path }) => path))
    this.#onRejected = (message) => {
      const { endpoint, code, reason } = message as RejectedMessage
      if (code === 'RIVERHOOK_RECEIVE_UNAUTHENTICATED' && paths.has(endpoint))
        this.#reasons.set(endpoint, shorten(reason, longestReason))
    }
    channels.rejected.subscribe(this.#onRejected)
  }

  /** The alarms that are raised, as of the last round. */
  get raised(): readonly Alarm[] {
    return [...listRaised(this.#own.entries), ...listRaised(this.#shared)]
  }

  /** The alarms that only this process knows. */
  get ownRaised(): readonly ListedAlarm[] {
    return listRaised(this.#own.entries)
  }

  /** Checks all conditions once. During a round, resolves with it. Never rejects. */
  round(): Promise<void> {
    return (this.#round ??= this.#check().finally(() => {
      this.#round = undefined
    }))
  }

  /** Ends the current round, and lets another process continue. */
  async end(): Promise<void> {
    this.#ending.abort()
    channels.rejected.unsubscribe(this.#onRejected)
    await this.#round
    const { log } = this.#options
    const unsent = this.#ownUnsent.length
    if (unsent > 0) log.warn({ messages: unsent }, 'messages about the inbox were not sent: this server ends')
    try {
      await this.#turn?.end()
    } catch (error) {
      log.debug({ err: loggedError(error) }, 'alarms: another server continues when the lease has ended')
    }
  }

  async #check(): Promise<void> {
    const { subject, log } = this.#options
    try {
      const { detail, freeShare } = await subject.health()
      await this.#checkOwn(detail)
      if (detail !== undefined) return
      await this.#checkShared(freeShare)
      if (this.#isFailing) log.info({}, 'the conditions of the alarms can be checked again')
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing)
        log.warn({ err: loggedError(error) }, 'the conditions of the alarms could not be checked; trying again')
      this.#isFailing = true
    }
  }

  /** Checks what each process sees for itself. */
  async #checkOwn(detail: string | undefined): Promise<void> {
    const { skipped } = this.#options
    const now = this.#clock()
    const findings = new Map([['inbox', skipped.has('inbox') ? [] : findAboutInbox(detail)]] as const)
    const { changes, ...own } = updateAlarms(this.#own, { findings, now })
    this.#own = own
    this.#report(changes)
    this.#ownUnsent = [...this.#ownUnsent, ...this.#compose(changes, now)]
    this.#ownUnsent = await this.#send(this.#ownUnsent, now, async () => true)
  }

  /** Checks what all processes see alike, if it is this one's turn. */
  async #checkShared(freeShare: number | undefined): Promise<void> {
    const { inbox, owner, leaseMs, subject, skipped, log } = this.#options
    const { token, state: before, acknowledged } = await inbox.holdAlarms({ owner, leaseMs })
    if (token === undefined) {
      this.#turn = undefined
      this.#shared = readEntries(before)
      return
    }
    const turn = new Turn({ inbox, token, leaseMs, clock: this.#clock })
    this.#turn = turn
    const now = (await inbox.now()).getTime()
    const state = continueState(before, now)
    const found = await findAll({
      subject,
      reasons: this.#reasons,
      freeShare,
      state,
      skipped,
      now,
      signal: this.#ending.signal,
      keep: () => turn.keep(),
      log
    })
    if (found === undefined) return
    const { findings, failed, silence } = found
    const unchecked = updateUnchecked(state.unchecked, failed, { now, log })
    const known = state.entries.filter(({ condition }) => !skipped.has(condition))
    const { changes, ...book } = updateAlarms({ ...state, entries: known }, { findings, acknowledged, now })
    const forget = acknowledged.filter((each) => !book.entries.some((entry) => isAbout(each, entry)))
    const next = { ...state, ...book, silence, unchecked, unsent: [...state.unsent, ...this.#compose(changes, now)] }
    // Stored before it is reported, so that no other process reports it again.
    if (!(await this.#save(turn, next, forget))) return
    this.#report(changes)
    const unsent = await this.#send(next.unsent, now, (unsent) => this.#save(turn, { ...next, unsent }))
    if (unsent !== next.unsent) await this.#save(turn, { ...next, unsent })
  }

  /** @returns false if another process has taken over: it finds the same */
  async #save(turn: Turn, state: AlarmsState, forget: readonly AcknowledgedAlarm[] = []): Promise<boolean> {
    const isHeld = await turn.save(packState(state), forget)
    if (isHeld) this.#shared = state.entries
    return isHeld
  }

  #compose(changes: readonly AlarmChange[], now: number): readonly AlarmMessage[] {
    return changes.length === 0 || this.#options.send === undefined ? [] : [composeMessage(changes, now)]
  }

  /** @returns the same list if nothing was sent, or the messages that are still to be sent */
  async #send(
    messages: readonly AlarmMessage[],
    now: number,
    store: SendDue['store']
  ): Promise<readonly AlarmMessage[]> {
    const { send, log } = this.#options
    if (messages.length === 0) return messages
    if (send === undefined) return keepUnsent(messages, { now, log })
    return sendDue(messages, { send, store, signal: this.#ending.signal, now, log })
  }

  #report(changes: readonly AlarmChange[]): void {
    for (const change of changes) {
      logChange(this.#options.log, change)
      publish('alarm', { ...change, since: change.since.toISOString() })
      this.#callOnAlarm(change)
    }
  }

  #callOnAlarm(change: AlarmChange): void {
    const { onAlarm, log } = this.#options
    if (onAlarm === undefined) return
    void (async () => {
      assertBegun(await onAlarm(change))
    })().catch((error: unknown) => {
      log.error({ err: loggedError(error), alarm: change.condition }, 'onAlarm failed')
    })
  }
}

function logChange(log: Log, { change, condition, subject, level, text, value, threshold, since }: AlarmChange): void {
  const keys = { alarm: condition, ...(subject !== '' && { subject }), change, value, threshold, since }
  if (change === 'resolved') log.info(keys, `alarm resolved: ${text}`)
  else log[level](keys, `alarm: ${text}`)
}
