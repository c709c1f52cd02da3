import type { InboxLevels } from '../../inbox/inbox.ts'
import { shellWord } from '../../model/shell-word.ts'
import type { Finding } from './book.ts'
import type { AlarmSubject } from './subject.ts'
import { counted, minuteMs, percent, span } from './words.ts'

/** From these counts on, an alarm is worse. */
const steps = [1, 10, 100, 1_000]

/** How bad a count is: 0 for none. */
export function stepOf(count: number): number {
  return steps.filter((from) => count >= from).length
}

/** Checks the deliveries that are not done. */
export function findAboutDeliveries(
  { byHandler, oldestDueAt }: Pick<InboxLevels, 'byHandler' | 'oldestDueAt'>,
  { maxBacklogAgeMs }: Pick<AlarmSubject, 'maxBacklogAgeMs'>,
  now: number
): { readonly backlog: readonly Finding[]; readonly dead: readonly Finding[]; readonly parked: readonly Finding[] } {
  const overdueMs = oldestDueAt === undefined ? 0 : now - oldestDueAt.getTime()
  return {
    backlog:
      overdueMs > maxBacklogAgeMs
        ? [
            {
              subject: '',
              level: 'error',
              text: `a delivery is overdue by ${span(overdueMs)}: handlers are too slow, too few or stuck`,
              value: Math.round(overdueMs / 1_000),
              threshold: Math.round(maxBacklogAgeMs / 1_000)
            }
          ]
        : [],
    dead: byHandler.flatMap(({ handler, dead }): Finding[] => {
      const step = stepOf(dead)
      const text = `${counted(dead, 'dead letter')}: ${lists(handler)}`
      return step === 0
        ? []
        : [{ subject: handler, level: step > 1 ? 'error' : 'warn', text, value: dead, threshold: 1, step }]
    }),
    parked: byHandler.flatMap(({ handler, parked }): Finding[] => {
      const text = `${counted(parked, 'delivery')} of a handler that no server has: add it again, or remove the events`
      return parked === 0 ? [] : [{ subject: handler, level: 'warn', text, value: parked, threshold: 1 }]
    })
  }
}

/** Names the command that lists the errors of a handler. */
function lists(handler: string): string {
  return `riverhook failures --handler ${shellWord(handler)} lists the errors`
}

/** Checks how the attempts of the last ten minutes ended. */
export async function findFailing({ inbox }: Pick<AlarmSubject, 'inbox'>, now: number): Promise<readonly Finding[]> {
  const rows = await inbox.tally({
    since: new Date(now - 10 * minuteMs),
    until: new Date(now + minuteMs),
    step: 'minute',
    kind: 'attempt'
  })
  const recent = rows.filter(({ at }) => at.getTime() >= now - 10 * minuteMs)
  return [...Map.groupBy(recent, ({ name }) => name)].flatMap(([subject, own]): Finding[] => {
    const count = (...outcomes: readonly string[]): number =>
      own.reduce((sum, row) => (outcomes.includes(row.outcome) ? sum + row.count : sum), 0)
    const failed = count('retry', 'dead', 'lost')
    const all = failed + count('done')
    const value = failed / all
    const text = `${percent(value)} of ${all} attempts in 10 min failed: ${lists(subject)}`
    return all >= 10 && value >= 0.5 ? [{ subject, level: 'error', text, value, threshold: 0.5 }] : []
  })
}
