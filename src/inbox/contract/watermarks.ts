/** Marks of how far something has been read or purged. Part of `Inbox`. */
export interface InboxWatermarks {
  /** Returns how far something has been read, such as the provider's list of events; undefined if it never was. */
  watermark(realm: string, name: string): Promise<Date | undefined>

  /** Lists the watermarks of all realms. */
  watermarks(): Promise<readonly Watermark[]>

  /**
   * Moves a watermark of the realm forward, at most to `now()`. Never moves it back, so that two processes do not undo
   * each other's progress. Except that it replaces a watermark in the future, which a wrong clock wrote.
   */
  advance(realm: string, name: string, to: Date): Promise<void>
}

/** The time up to which something of a realm was read or purged. */
export interface Watermark {
  readonly realm: string
  readonly name: string
  readonly at: Date
}
