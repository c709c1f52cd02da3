import { codeActor, type Act, type Actor, type ActResult } from '../model/audit.ts'
import { publish } from '../model/channels.ts'
import { loggedError } from '../model/error-text.ts'
import type { Log } from '../model/log.ts'
import { visible } from '../model/visible.ts'
import { checkAct } from '../inbox/check.ts'
import type { Inbox } from '../inbox/inbox.ts'

export interface AuditOptions {
  readonly inbox: Inbox
  readonly log: Log
  /** The actor of a call that names none. Default: `codeActor`. */
  readonly actor: Actor | undefined
}

/** Does acts, so that each is in the audit log and in the log. */
export class Audit {
  readonly #inbox: Inbox
  readonly #log: Log
  readonly #actor: Actor

  constructor({ inbox, log, actor = codeActor }: AuditOptions) {
    this.#inbox = inbox
    this.#log = log
    this.#actor = actor
  }

  /**
   * Does an act whose entry the inbox writes in the transaction of the act.
   * @param work passes the act to the inbox
   * @param measure returns the effect, for the log
   * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for an invalid actor, before anything is done; what `work`
   * throws
   */
  async run<Result>(
    act: AuditedAct,
    work: (act: Act) => Promise<Result>,
    measure: (result: Result) => ActResult
  ): Promise<Result> {
    const begun = this.begin(act)
    const result = await this.#watch(begun, () => work(begun))
    this.report(begun, measure(result))
    return result
  }

  /**
   * Does an act that no transaction of the inbox can include, such as a call of a provider's API, and then writes its
   * entry. If only the entry fails, the act is done all the same: then its entry is in the log, as an error.
   */
  async runOutside<Result>(
    act: AuditedAct,
    work: () => Promise<Result>,
    measure: (result: Result) => ActResult
  ): Promise<Result> {
    const begun = this.begin(act)
    const result = await this.#watch(begun, work)
    await this.write(begun, measure(result))
    return result
  }

  /** Completes an act. @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for an invalid actor */
  begin({ by = this.#actor, action, target }: AuditedAct): Act {
    return checkAct({ actor: by, action, target }, action)
  }

  /** Writes the entry of an act that is done. Never rejects. */
  async write(act: Act, effect: ActResult): Promise<void> {
    try {
      await this.#inbox.audit(act, effect)
      this.report(act, effect)
    } catch (error) {
      this.#log.error(
        { ...actKeys(act), ...effect, err: loggedError(error) },
        'an act was done, and could not be entered in the audit log'
      )
    }
  }

  /** Logs an act that failed. It has no entry. The caller reports the error. */
  fail(act: Act, error: unknown): void {
    this.#log.info({ ...actKeys(act), err: loggedError(error) }, 'an act failed')
  }

  async #watch<Result>(act: Act, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      this.fail(act, error)
      throw error
    }
  }

  /** Logs and publishes an act that is done, and has its entry. */
  report(act: Act, { count, outcome }: ActResult): void {
    this.#log.info({ ...actKeys(act), count, outcome }, 'audited')
    const { actor, action, target } = act
    publish('audited', {
      actor: actor.name,
      via: actor.via,
      peer: actor.peer,
      request_id: actor.requestId,
      action,
      target,
      count,
      outcome
    })
  }
}

/** An act as a method of Riverhook describes it. */
export interface AuditedAct {
  readonly action: string
  readonly target: string
  readonly by?: Actor | undefined
}

/** The keys of an act in the log. Control characters become escapes, because a log viewer may write to a terminal. */
function actKeys({ actor, action, target }: Act): Readonly<Record<string, string | undefined>> {
  return {
    actor: visible(actor.name),
    via: actor.via,
    peer: actor.peer === undefined ? undefined : visible(actor.peer),
    request_id: actor.requestId === undefined ? undefined : visible(actor.requestId),
    action: visible(action),
    target: visible(target)
  }
}
