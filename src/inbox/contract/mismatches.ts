import type { Act } from '../../model/audit.ts'
import type { RiverhookError } from '../../model/errors.ts'

/** Mismatches between payloads and their schemas. Part of `Inbox`. */
export interface InboxMismatches {
  /**
   * Adds mismatches to the counts of their kinds.
   * @returns a result for each, in order. An error means that this mismatch was rejected, and the others were stored
   */
  flag(drifts: readonly Mismatch[]): Promise<readonly (FlagResult | RiverhookError)[]>

  /** Lists all kinds of mismatches in all realms, the latest first. At most 1,000. */
  drifts(): Promise<readonly Mismatch[]>

  /**
   * Marks kinds of mismatches as acknowledged, or removes the mark. Later mismatches of a kind are counted, and keep
   * its mark.
   * @returns how many kinds were changed: not those that had the mark already, or that the inbox does not have
   */
  acknowledge(kinds: readonly MismatchKind[], isAcknowledged: boolean, act?: Act): Promise<number>
}

export type FlagResult = 'flagged'

/** A kind of mismatch: realm, event type, place and rule. Never contains a value. */
export interface MismatchKind {
  readonly realm: string
  readonly type: string
  /**
   * The place in the payload, such as `data.object.items[].sku`. All entries of a list are one place. Empty for the
   * event type itself.
   */
  readonly path: string
  /** The rule that the payload breaks: `type`, `enum`, `required` ..., or `unknown_type`. */
  readonly rule: string
  /** The handler whose schema it is; empty for the provider's schema. */
  readonly handler: string
}

export interface Mismatch extends MismatchKind {
  readonly count: number
  readonly firstAt: Date
  readonly lastAt: Date
  /** The id of the last event with this mismatch. */
  readonly eventId: string
  /** When a person acknowledged the kind: since then, it is no cause for a warning. `flag` sets it for a new kind. */
  readonly acknowledgedAt?: Date | undefined
}
