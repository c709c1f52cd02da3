import { toFinding, type AlarmEntry, type Finding } from './book.ts'
import type { AlarmSubject } from './subject.ts'
import { dayMs, span } from './words.ts'

/**
 * Checks the webhooks at the provider, as the last look of this process saw them. Until it has looked, the alarms of
 * the process before it stay.
 * @param entries the alarms as the last round left them
 */
export function findAboutRegistrations(
  { registrations, endpoints }: Pick<AlarmSubject, 'registrations' | 'endpoints'>,
  entries: readonly AlarmEntry[]
): readonly Finding[] {
  const statuses = registrations()
  return endpoints.flatMap(({ path: subject, isRegistered }): readonly Finding[] => {
    if (!isRegistered) return []
    const { state, lastError } = statuses.find(({ endpoint }) => endpoint === subject) ?? {}
    if (state === 'changed')
      return [
        {
          subject,
          level: 'error',
          text: 'the webhook at the provider is disabled, changed or deleted: riverhook webhooks sync --dry-run'
        }
      ]
    const before = entries.filter((entry) => entry.condition === 'registration' && entry.subject === subject)
    if (state !== 'in_sync' && before.length > 0) return before.map(toFinding)
    return lastError === undefined
      ? []
      : [{ subject, level: 'warn', text: 'the webhook at the provider cannot be checked: the log says why' }]
  })
}

/** How many intervals of the backfill may pass. */
const mostIntervals = 3

/** Checks how far the provider's lists of events were read, and whether they reached back far enough. */
export async function findAboutBackfills(
  { inbox, endpoints }: Pick<AlarmSubject, 'inbox' | 'endpoints'>,
  now: number
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { path: subject, realm, backfillEveryMs, backfillMark, gapMark } of endpoints) {
    if (backfillEveryMs === undefined) continue
    const readTo = await inbox.watermark(realm, backfillMark)
    const ageMs = readTo === undefined ? 0 : now - readTo.getTime()
    const thresholdMs = mostIntervals * backfillEveryMs
    const gapAt = await inbox.watermark(realm, gapMark)
    if (ageMs > thresholdMs)
      findings.push({
        subject,
        level: 'error',
        text: `the provider's list of events was last read ${span(ageMs)} ago: missed events are not fetched; the log says why`,
        value: Math.round(ageMs / 1_000),
        threshold: Math.round(thresholdMs / 1_000)
      })
    else if (gapAt !== undefined && now - gapAt.getTime() < dayMs)
      findings.push({
        subject,
        level: 'error',
        text: 'the provider no longer lists the events of some time without a server: those missed in it cannot be fetched; the log names the time'
      })
  }
  return findings
}
