/** How long events are kept, in milliseconds. */
export interface RetentionSpans {
  /** Those whose deliveries are all done, and erased ones. */
  readonly doneMs: number
  /** Those with dead letters or parked deliveries. At least `doneMs`. */
  readonly deadMs: number
  /** Quarantined requests. At least `doneMs`. */
  readonly quarantinedMs: number
}
