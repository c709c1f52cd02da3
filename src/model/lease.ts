import { RiverhookError } from './errors.ts'

/** The text of the error of a run whose lease ran out. */
export function leaseRanOut(owner: string | undefined): string {
  return `The run was lost: ${owner ?? 'its process'} died or stalled`
}

/** The error of a run whose lease was lost while it goes on. */
export function leaseLost(consequence = ''): RiverhookError {
  const what = 'The lease of this delivery was lost: another process may run it now'
  return new RiverhookError('RIVERHOOK_DELIVER_LEASE_LOST', consequence === '' ? what : `${what}. ${consequence}`)
}
