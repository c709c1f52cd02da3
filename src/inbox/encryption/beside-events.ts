import { hideAbout, type Job, type NewJob } from '../../model/job.ts'
import type { Keys } from './state.ts'

// Jobs and alarms are encrypted with the key of the index, which stays when other keys change.

const jobPlace: readonly string[] = ['job']
const alarmsPlace: readonly string[] = ['alarms']

function seal({ index, writesWith }: Keys, place: readonly string[], text: string): string {
  return index === undefined || writesWith === undefined ? text : index.seal(text, place)
}

function open({ index }: Keys, place: readonly string[], text: string): string {
  return index?.open(text, place) ?? text
}

/** A condition in the place of one that is encrypted. */
const anyCondition = 'hidden exists'

/** Encrypts the values of a job's filter that may be personal data. */
export function sealJob(keys: Keys, job: NewJob): NewJob {
  const { about, error, where } = job.filter
  if (keys.writesWith === undefined || (about ?? error ?? where) === undefined) return sealDigest(keys, job)
  const filter = { ...hideAbout(job.filter), ...(where !== undefined && { where: where.map(() => anyCondition) }) }
  return { ...sealDigest(keys, job), filter, hidden: seal(keys, jobPlace, JSON.stringify({ about, error, where })) }
}

/** The digest shows which values are equal: without it, one could try values. */
function sealDigest(keys: Keys, job: NewJob): NewJob {
  const { hiddenDigest } = job
  return hiddenDigest === undefined ? job : { ...job, hiddenDigest: seal(keys, jobPlace, hiddenDigest) }
}

/** Decrypts a job. The engine has hidden the values of one that has ended. */
export function openJob(keys: Keys, { hidden, ...job }: Job): Job {
  const { hiddenDigest, error } = job
  const opened = {
    ...job,
    ...(hiddenDigest !== undefined && { hiddenDigest: open(keys, jobPlace, hiddenDigest) }),
    error: error === undefined ? undefined : open(keys, jobPlace, error)
  }
  if (hidden === undefined) return opened
  const values = JSON.parse(open(keys, jobPlace, hidden)) as Pick<NewJob['filter'], 'about' | 'error' | 'where'>
  return { ...opened, filter: { ...job.filter, ...values } }
}

/** Encrypts the error of a job. */
export function sealProgress<Progress extends { readonly error?: string | undefined }>(
  keys: Keys,
  progress: Progress
): Progress {
  const { error } = progress
  return error === undefined ? progress : { ...progress, error: seal(keys, jobPlace, error) }
}

export function sealAlarms(keys: Keys, state: string): string {
  return seal(keys, alarmsPlace, state)
}

export function openAlarms(keys: Keys, state: string | undefined): string | undefined {
  return state === undefined ? undefined : open(keys, alarmsPlace, state)
}
