import { RiverhookError } from './errors.ts'

/** The stored error text of a run whose lease expired. */
export function leaseRanOut(owner: string | undefined): string {
  return `The run was lost: ${owner ?? 'its process'} died or stalled`
}

/** The error for a handler that is still running although its lease was lost. */
export function leaseLost(consequence = ''): RiverhookError {
  const what = 'The lease of this delivery was lost: another process may run it now'
  return new RiverhookError('RIVERHOOK_DELIVER_LEASE_LOST', consequence === '' ? what : `${what}. ${consequence}`)
}
