import type { FlagResult, Mismatch, MismatchKind } from '../inbox.ts'
import type { Store } from './store.ts'

/** Adds mismatches to the counts of their kinds. */
export function flag({ mismatches }: Store, notes: readonly Mismatch[]): FlagResult[] {
  return notes.map((note) => {
    const kind = kindText(note)
    const known = mismatches.get(kind)
    mismatches.set(kind, known === undefined ? { acknowledgedAt: undefined, ...note } : sum(known, note))
    return 'flagged'
  })
}

function sum(known: Mismatch, note: Mismatch): Mismatch {
  const isLater = note.lastAt > known.lastAt
  return {
    ...known,
    count: known.count + note.count,
    firstAt: note.firstAt < known.firstAt ? note.firstAt : known.firstAt,
    lastAt: isLater ? note.lastAt : known.lastAt,
    eventId: isLater ? note.eventId : known.eventId
  }
}

/** Lists all kinds of mismatches, the latest first. */
export function listDrifts({ mismatches }: Store): readonly Mismatch[] {
  return [...mismatches.values()].sort((one, other) => other.lastAt.getTime() - one.lastAt.getTime()).slice(0, 1000)
}

/** Marks kinds as acknowledged, or removes the mark. @returns how many were changed */
export function acknowledge(
  { mismatches }: Store,
  kinds: readonly MismatchKind[],
  isAcknowledged: boolean,
  now: number
): number {
  const changed = kinds.flatMap((kind) => {
    const known = mismatches.get(kindText(kind))
    if (known === undefined || (known.acknowledgedAt !== undefined) === isAcknowledged) return []
    return mismatches.set(kindText(kind), { ...known, acknowledgedAt: isAcknowledged ? new Date(now) : undefined })
  })
  return changed.length
}

function kindText({ realm, type, path, rule, handler }: MismatchKind): string {
  return JSON.stringify([realm, type, path, rule, handler])
}
