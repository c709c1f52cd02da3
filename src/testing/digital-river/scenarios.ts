/** How one request departs from a whole and rightly signed one. */
export interface Way {
  readonly shape?: 'whole' | 'chunked' | 'slow' | 'truncated' | 'cut-before-answer' | 'cut-after-answer'
  /** `wrong`: a secret that the webhook never had. */
  readonly secret?: 'wrong'
  /** Signs as of so many milliseconds from now. */
  readonly timeShiftMs?: number
  /** `wrong`: an event of the other mode, signed by the webhook of that mode. */
  readonly mode?: 'wrong'
}

/** How the first attempt at an event goes. Every later one is normal, as the provider's are. */
export interface Scenario {
  readonly means: string
  /** The requests of the first attempt; the last one's answer counts. */
  readonly sends: readonly Way[]
  /** All at once, instead of one after the other. */
  readonly concurrent?: true
  /** The first attempt waits, on the simulator's clock, for `delayMs`. */
  readonly delayed?: true
  /** Of several events, the last is sent first. */
  readonly reversed?: true
}

const hour = 3_600_000

/**
 * The ways in which deliveries go wrong, by name. What they promise: each event's handlers run as if nothing had
 * happened.
 */
export const scenarios = {
  normal: { means: 'signed, whole, once', sends: [{}] },
  duplicate: { means: 'the same event twice, one after the other', sends: [{}, {}] },
  'concurrent-duplicates': {
    means: 'the same event five times at once',
    sends: [{}, {}, {}, {}, {}],
    concurrent: true
  },
  reversed: { means: 'of several events, the last is sent first', sends: [{}], reversed: true },
  delay: { means: 'sent late, after others', sends: [{}], delayed: true },
  'stale-timestamp': { means: 'signed as of an hour ago; then rightly', sends: [{ timeShiftMs: -hour }] },
  'wrong-secret': {
    means: "signed with a secret that is not the webhook's; then rightly",
    sends: [{ secret: 'wrong' }]
  },
  'wrong-mode': {
    means: 'an event of the other mode, with its signature; then the right one',
    sends: [{ mode: 'wrong' }]
  },
  'truncated-body': { means: 'half a body, then the connection ends; then whole', sends: [{ shape: 'truncated' }] },
  'chunked-body': { means: 'in chunks, without a Content-Length', sends: [{ shape: 'chunked' }] },
  'slow-body': { means: 'in pieces, with pauses between them', sends: [{ shape: 'slow' }] },
  'cut-before-answer': {
    means: 'the connection ends when the body was sent; then again',
    sends: [{ shape: 'cut-before-answer' }]
  },
  'cut-after-answer': {
    means: 'the answer is lost on its way back; then again',
    sends: [{ shape: 'cut-after-answer' }]
  }
} as const satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof scenarios
