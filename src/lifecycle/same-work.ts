import { createHmac } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'

import { hideAbout, type Job, type NewJob } from '../model/job.ts'
import type { Inbox } from '../inbox/inbox.ts'

/** A job without the one who starts it. */
type Work = Omit<NewJob, 'actor' | 'kind' | 'planned' | 'idempotencyKey'>

/**
 * A digest of the values that a job hides once it has ended, which distinguishes a repeated start from another one. It
 * is made with the key of the inbox: without a key, the digest of an e-mail address could be guessed.
 * @returns undefined if nothing is hidden
 */
export async function digestHidden(
  inbox: Pick<Inbox, 'signingKey'>,
  { about, error, where }: Work['filter']
): Promise<string | undefined> {
  if (about === undefined && error === undefined && where === undefined) return undefined
  return createHmac('sha256', await inbox.signingKey())
    .update(`job ${JSON.stringify([about, error, where])}`)
    .digest('base64url')
}

/** True if a job is the same work, whether it has ended or not. */
export function isSameWork(job: Job, other: Work): boolean {
  return isDeepStrictEqual(compared(job), compared(other))
}

function compared({ filter, hiddenDigest, includeDone, upTo, limit, ratePerSecond }: Work): object {
  return { filter: hideAbout(filter), hiddenDigest, includeDone, upTo, limit, ratePerSecond }
}
