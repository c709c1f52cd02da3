import type { Finding } from './book.ts'
import { percent } from './words.ts'

/** The free part of a disk from which on an alarm is raised, and from which on it is worse. */
const [low, veryLow] = [0.15, 0.05]

/** Checks the free space of the inbox. */
export function findAboutSpace(freeShare: number): readonly Finding[] {
  if (freeShare >= low) return []
  const isWorse = freeShare < veryLow
  const text = `${percent(freeShare)} of the inbox's disk, or of its size limit, is free: when it is full, requests are answered 503`
  return [
    { subject: '', level: isWorse ? 'error' : 'warn', text, value: freeShare, threshold: low, step: isWorse ? 2 : 1 }
  ]
}

/** Checks whether the inbox can be written to. @param detail why not; not reported, as it may name a file or a host */
export function findAboutInbox(detail: string | undefined): readonly Finding[] {
  const text = 'the inbox cannot be written to: requests are answered 503; the log says why'
  return detail === undefined ? [] : [{ subject: '', level: 'error', text }]
}
