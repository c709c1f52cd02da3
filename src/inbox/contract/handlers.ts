import type { Act } from '../../model/audit.ts'

/** The handlers that the inbox knows, and which of them are paused. Part of `Inbox`. */
export interface InboxHandlers {
  /**
   * Stores the complete list of handlers of all sources, so that commands in other processes can read it. Parks
   * unsettled deliveries without a handler that has their handler's name and is for their event's source. Parks a
   * running one after its lease has ended. Makes parked deliveries of these handlers due again.
   *
   * May leave deliveries to park or to resume for the next call with the same handlers, so that a large backlog delays
   * no recording: see `hasMore`.
   */
  adopt(handlers: readonly HandlerRecord[]): Promise<Adopted>

  /** Lists the handlers last adopted. */
  handlers(): Promise<readonly HandlerRecord[]>

  /**
   * Pauses a handler, in all processes and over restarts: its deliveries are recorded, and none is claimed. A claim
   * under way and running attempts finish.
   * @returns false if it was paused already, and nothing was changed
   */
  pause(handler: string, act?: Act): Promise<boolean>

  /** Ends the pause of a handler. @returns false if it was not paused */
  resume(handler: string, act?: Act): Promise<boolean>

  /** Lists the paused handlers by name. */
  pauses(): Promise<readonly Pause[]>
}

/** How many deliveries were parked and resumed. */
export interface Adopted {
  readonly parked: number
  readonly resumed: number
  /** True if deliveries are left. Call `adopt` again with the same handlers. */
  readonly hasMore?: boolean
}

/** A handler of one source. It never gets deliveries of another source's events, even under the same name. */
export interface HandlerName {
  readonly name: string
  /** The name of the source whose events it handles. */
  readonly source: string
}

export interface HandlerRecord extends HandlerName {
  readonly pattern: string
  /** True if it has an `orderBy`: only its code can compute the order key of a new delivery. */
  readonly ordered?: boolean | undefined
}

/** A paused handler. */
export interface Pause {
  readonly handler: string
  readonly since: Date
}
