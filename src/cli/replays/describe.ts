import type { Job, ReplayPlan } from '../../index.ts'
import { hideAbout } from '../../programs.ts'
import { printJson } from '../output.ts'
import { counted, time } from '../print.ts'

/** The deliveries of a plan by handler and state: `erp: 61 dead; mail: 1 done, skipped`. */
export function describePlan({ byHandler }: Pick<ReplayPlan, 'byHandler'>, ifSkipped = ', skipped'): string {
  return [...Map.groupBy(byHandler, ({ handler }) => handler)]
    .map(([handler, groups]) => {
      const states = groups.map(
        ({ state, count, skipped }) => `${count} ${state === 'missing' ? 'new' : state}${skipped ? ifSkipped : ''}`
      )
      return `${handler}: ${states.join('; ')}`
    })
    .join('; ')
}

/** The work of a job: `type order.*, state dead, until 2026-11-26 12:00:00Z`. */
export function describeFilter({ filter, includeDone, limit, ratePerSecond }: Job): string {
  const { events, live, where, ...others } = hideAbout(filter)
  const parts = [
    ...(events === undefined ? [] : [counted(events.length, 'chosen event')]),
    ...Object.entries(others).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name} ${value instanceof Date ? time(value) : value}`]
    ),
    ...(live === undefined ? [] : [live ? 'live events' : 'test events']),
    ...(where === undefined ? [] : [`where ${where.join(' and ')}`])
  ]
  return [
    ...(parts.length === 0 ? ['all events'] : parts),
    ...(includeDone ? ['including done ones'] : []),
    ...(limit === undefined ? [] : [`at most ${limit}`]),
    ...(ratePerSecond === undefined ? [] : [`${ratePerSecond}/s`])
  ].join(', ')
}

/** How far a job is: `61 of 100 replayed, 2 skipped`. */
export function describeProgress({ state, planned, replayed, created, skipped, refused }: Job): string {
  const done = replayed + created
  return [
    state === 'done' || planned <= done
      ? `${counted(done, 'delivery', 'deliveries')} replayed`
      : `${done} of ${planned} replayed`,
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(refused > 0 ? [`${refused} refused`] : [])
  ].join(', ')
}

/** Prints a job as JSON. The output of commands is often logged, so it hides what it is about. */
export function printJob({ hiddenDigest: _digest, trace: _trace, ...job }: Job): void {
  printJson({ ...job, filter: hideAbout(job.filter) })
}
