import { summarizeLengths } from '../attempt-lengths.ts'
import type { AttemptLengths } from '../inbox.ts'
import type { Store } from './store.ts'

/** Returns how long the newest attempts of each handler took. */
export function readLengths({ rows }: Store): readonly AttemptLengths[] {
  const attempts = [...rows.values()].flatMap(({ deliveries }) =>
    deliveries.flatMap(({ handler, attemptLog }) =>
      attemptLog
        .filter(({ state }) => state === 'done' || state === 'retry' || state === 'dead')
        .map(({ startedAt, endedAt }) => ({ handler, startedAt: startedAt.getTime(), endedAt: endedAt.getTime() }))
    )
  )
  return summarizeLengths(attempts)
}
