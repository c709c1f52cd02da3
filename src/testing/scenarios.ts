import { optionRules } from '../programs.ts'

const { checkAgainst, isOneOf } = optionRules

/** How one request differs from a complete and correctly signed one. */
export interface Way {
  readonly shape?: 'whole' | 'chunked' | 'slow' | 'truncated' | 'cut-before-answer' | 'cut-after-answer'
  /** `wrong`: a secret that the webhook never had. */
  readonly secret?: 'wrong'
  /** Shifts the signed time, in milliseconds. */
  readonly timeShiftMs?: number
  /** `wrong`: an event of the other mode, signed by the webhook of that mode. */
  readonly mode?: 'wrong'
}

/** The fault at the first attempt for an event. Later attempts are normal. */
export interface Scenario {
  readonly means: string
  /** The requests of the first attempt; the answer to the last one counts. */
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
 * The faults of a delivery, by name. In each scenario, the handlers of every event must run as if nothing had happened.
 */
export const scenarios = {
  normal: { means: 'correctly signed, sent once', sends: [{}] },
  duplicate: { means: 'the same event twice', sends: [{}, {}] },
  'concurrent-duplicates': {
    means: 'the same event five times at once',
    sends: [{}, {}, {}, {}, {}],
    concurrent: true
  },
  reversed: { means: 'the last of several events is sent first', sends: [{}], reversed: true },
  delay: { means: 'sent late, after other events', sends: [{}], delayed: true },
  'stale-timestamp': { means: 'signed with a time an hour ago; then correctly', sends: [{ timeShiftMs: -hour }] },
  'wrong-secret': {
    means: 'signed with a wrong secret; then correctly',
    sends: [{ secret: 'wrong' }]
  },
  'wrong-mode': {
    means: 'an event of the other mode; then the right one',
    sends: [{ mode: 'wrong' }]
  },
  'truncated-body': {
    means: 'the connection ends after half a body; then sent again',
    sends: [{ shape: 'truncated' }]
  },
  'chunked-body': { means: 'sent in chunks, without a Content-Length', sends: [{ shape: 'chunked' }] },
  'slow-body': { means: 'sent in pieces, with pauses', sends: [{ shape: 'slow' }] },
  'cut-before-answer': {
    means: 'the connection ends before the answer; then sent again',
    sends: [{ shape: 'cut-before-answer' }]
  },
  'cut-after-answer': {
    means: 'the answer is lost; then sent again',
    sends: [{ shape: 'cut-after-answer' }]
  }
} as const satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof scenarios

/** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if there is no scenario of that name */
export function checkScenario(scenario: string): void {
  checkAgainst({ scenario: isOneOf(...Object.keys(scenarios)) }, { scenario }, 'emit')
}
