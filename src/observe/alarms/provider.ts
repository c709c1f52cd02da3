import type { Finding } from './book.ts'
import type { AlarmSubject } from './subject.ts'
import { span } from './words.ts'

/** Checks the webhooks at the provider, as the last check of this process saw them. */
export function findAboutRegistrations({ registrations }: Pick<AlarmSubject, 'registrations'>): readonly Finding[] {
  return registrations().flatMap(({ endpoint: subject, state, lastError }): Finding[] => {
    if (state === 'changed')
      return [
        {
          subject,
          level: 'error',
          text: 'the webhook at the provider is disabled, changed or deleted: riverhook webhooks sync --dry-run'
        }
      ]
    return lastError === undefined
      ? []
      : [{ subject, level: 'warn', text: 'the webhook at the provider cannot be checked: the log says why' }]
  })
}

/** How many intervals of the backfill may pass. */
const mostIntervals = 3

/** Checks how far the provider's lists of events were read. */
export async function findAboutBackfills(
  { inbox, endpoints }: Pick<AlarmSubject, 'inbox' | 'endpoints'>,
  now: number
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { path: subject, realm, backfillEveryMs, backfillMark } of endpoints) {
    if (backfillEveryMs === undefined) continue
    const readTo = await inbox.watermark(realm, backfillMark)
    const ageMs = readTo === undefined ? 0 : now - readTo.getTime()
    const thresholdMs = mostIntervals * backfillEveryMs
    if (ageMs <= thresholdMs) continue
    findings.push({
      subject,
      level: 'error',
      text: `the provider's list of events was last read ${span(ageMs)} ago: missed events are not fetched; the log says why`,
      value: Math.round(ageMs / 1_000),
      threshold: Math.round(thresholdMs / 1_000)
    })
  }
  return findings
}
