import type { Mismatch, FlagResult } from '../inbox.ts'

/** Adds a note to the record of its kind. */
export function addDrift(records: Map<string, Mismatch>, note: Mismatch): FlagResult {
  const key = JSON.stringify([note.realm, note.type, note.path, note.rule, note.handler])
  const known = records.get(key)
  if (known === undefined) {
    records.set(key, note)
    return 'flagged'
  }
  const isLater = note.lastAt > known.lastAt
  records.set(key, {
    ...known,
    count: known.count + note.count,
    firstAt: note.firstAt < known.firstAt ? note.firstAt : known.firstAt,
    lastAt: isLater ? note.lastAt : known.lastAt,
    eventId: isLater ? note.eventId : known.eventId
  })
  return 'flagged'
}

export function latestDrifts(records: ReadonlyMap<string, Mismatch>): readonly Mismatch[] {
  return [...records.values()].sort((one, other) => other.lastAt.getTime() - one.lastAt.getTime()).slice(0, 1000)
}
