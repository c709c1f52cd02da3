import type { AcknowledgedAlarm, Inbox } from '../../inbox/inbox.ts'

export interface TurnOptions {
  readonly inbox: Pick<Inbox, 'saveAlarms'>
  readonly token: number
  readonly leaseMs: number
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** The right of this process to raise alarms, which it keeps while a round takes long. */
export class Turn {
  readonly #options: TurnOptions
  #keptAt: number
  #isHeld = true

  constructor(options: TurnOptions) {
    this.#options = options
    this.#keptAt = options.clock()
  }

  /** Extends the lease if a third of it is over. @returns false if another process has the right */
  async keep(): Promise<boolean> {
    const { leaseMs, clock } = this.#options
    return clock() - this.#keptAt < leaseMs / 3 ? this.#isHeld : this.save(undefined)
  }

  /**
   * Stores the state, and extends the lease.
   * @param forget acknowledgements that hold for no alarm any more
   * @returns false, and stores nothing, if another process has the right
   */
  async save(state: string | undefined, forget: readonly AcknowledgedAlarm[] = []): Promise<boolean> {
    const { inbox, token, leaseMs, clock } = this.#options
    this.#keptAt = clock()
    this.#isHeld = await inbox.saveAlarms({ token, leaseMs, ...(state !== undefined && { state }), forget })
    return this.#isHeld
  }

  /** Gives the right up, so that another process continues at once. */
  async end(): Promise<void> {
    const { inbox, token } = this.#options
    await inbox.saveAlarms({ token, leaseMs: 0 })
  }
}
