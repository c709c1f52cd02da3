import type { FlagResult, Mismatch } from '../inbox.ts'
import type { Store } from './store.ts'

/** Adds mismatches to the counts of their kinds. */
export function flag({ mismatches }: Store, notes: readonly Mismatch[]): FlagResult[] {
  return notes.map((note) => {
    const kind = JSON.stringify([note.realm, note.type, note.path, note.rule, note.handler])
    const known = mismatches.get(kind)
    mismatches.set(kind, known === undefined ? note : sum(known, note))
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
