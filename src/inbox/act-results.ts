import type { ActResult } from '../model/audit.ts'
import type { AddedJob, AdmitResult, JobReplayResult } from './inbox.ts'
import type { QuarantineResult } from './replay.ts'

// The results of acts, for the audit log: every engine writes the same words.

export function pauseResult(isChanged: boolean): ActResult {
  return isChanged ? { count: 1, outcome: 'paused' } : { count: 0, outcome: 'already paused' }
}

export function resumeResult(isChanged: boolean): ActResult {
  return isChanged ? { count: 1, outcome: 'resumed' } : { count: 0, outcome: 'not paused' }
}

/** @param changed how many kinds of mismatches */
export function acknowledgeResult(isAcknowledged: boolean, changed: number): ActResult {
  return { count: changed, outcome: `${changed} ${isAcknowledged ? 'acknowledged' : 'reopened'}` }
}

export function replayResult(results: readonly JobReplayResult[]): ActResult {
  return countResults(results, ['replayed', 'created'])
}

export function addJobResult({ planned, isNew }: Pick<AddedJob, 'planned' | 'isNew'>): ActResult {
  return isNew ? { count: planned, outcome: `${planned} planned` } : { count: 0, outcome: 'already started' }
}

export function stopJobResult(isChanged: boolean): ActResult {
  return isChanged ? { count: 1, outcome: 'stopped' } : { count: 0, outcome: 'not running' }
}

/** A conflict stays quarantined, so it does not count as changed. */
export function admitResult(results: readonly AdmitResult[]): ActResult {
  return countResults(results, ['accepted', 'duplicate'])
}

/** @param given how many events were to be removed */
export function removeResult(given: number, removed: number): ActResult {
  const rest = given - removed
  return {
    count: removed,
    outcome: `${removed} removed${rest === 0 ? '' : `, ${rest} running, changed, erased or unknown`}`
  }
}

/** @param given how many events were to be erased */
export function eraseResult(given: number, erased: number): ActResult {
  const rest = given - erased
  return {
    count: erased,
    outcome: `${erased} erased${rest === 0 ? '' : `, ${rest} running, changed, erased before or unknown`}`
  }
}

/** The result of the retry of quarantined requests. */
export function retryResult(results: readonly (QuarantineResult | undefined)[]): ActResult {
  const names = results.map((result) =>
    typeof result !== 'object' ? (result ?? 'unknown_request') : 'notStored' in result ? 'refused' : 'still_invalid'
  )
  return countResults<string>(names, ['accepted', 'duplicate'])
}

/** The result of a registration. */
export function syncResult({ result = 'unchanged' }: { readonly result: string | undefined }): ActResult {
  return { count: result === 'unchanged' ? 0 : 1, outcome: result }
}

/** Counts each result: `61 replayed, 2 created, 3 running`. */
function countResults<Result extends string>(results: readonly Result[], changing: readonly Result[]): ActResult {
  const counts = [...Map.groupBy(results, (result) => result)].map(([result, { length }]) => [result, length] as const)
  return {
    count: results.filter((result) => changing.includes(result)).length,
    outcome: describeCounts(counts)
  }
}

function describeCounts(counts: readonly (readonly [result: string, count: number])[]): string {
  return counts.map(([result, count]) => `${count} ${result.replace('_', ' ')}`).join(', ') || 'nothing to do'
}
