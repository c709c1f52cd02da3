import type { LastDay } from '../programs.ts'
import { print } from './output.ts'
import { counted, durationText, printTable, spanText } from './print.ts'

const mostRefusals = 5

/** Prints why requests were refused, and since when. */
export function showRefused({ refused }: LastDay, now: number): void {
  if (refused.length === 0) return
  print(
    `${counted(
      refused.reduce((sum, { count }) => sum + count, 0),
      'request was',
      'requests were'
    )} refused in the last 24 hours:`
  )
  for (const { endpoint, code, count, firstAt, lastAt } of refused.slice(0, mostRefusals)) {
    const ago = spanText(now - lastAt.getTime())
    const span = now - firstAt.getTime()
    const when = firstAt.getTime() === lastAt.getTime() ? `${ago} ago` : `since ${spanText(span)}, the last ${ago} ago`
    print(`  ${code} ×${count}\n    at ${endpoint}, ${when}`)
  }
  if (refused.length > mostRefusals) print(`  and ${counted(refused.length - mostRefusals, 'other reason')}`)
}

/** Prints how the attempts of each handler ended. */
export function showAttempts({ attempts }: LastDay): void {
  if (attempts.length === 0) return
  print('')
  printTable(
    ['attempts in the last 24 hours', 'done', 'failed', 'lost', 'average', 'longest'],
    attempts.map(({ handler, done, failed, lost, averageMs, longestMs }) => [
      handler,
      String(done),
      String(failed),
      String(lost),
      durationText(averageMs),
      durationText(longestMs)
    ])
  )
}
