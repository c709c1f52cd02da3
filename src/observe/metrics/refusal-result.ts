import type { RiverhookErrorCode } from '../../model/errors.ts'
import type { requestResults } from './table.ts'

type Result = (typeof requestResults)[number]

const results: Readonly<Partial<Record<RiverhookErrorCode, Result>>> = {
  RIVERHOOK_RECEIVE_BAD_ENCODING: 'quarantined',
  RIVERHOOK_RECEIVE_BAD_JSON: 'quarantined',
  RIVERHOOK_RECEIVE_BAD_ENVELOPE: 'quarantined',
  RIVERHOOK_RECEIVE_WRONG_MODE: 'quarantined',
  RIVERHOOK_RECEIVE_BAD_PAYLOAD: 'quarantined',
  RIVERHOOK_RECEIVE_BAD_REQUEST: 'bad_request',
  RIVERHOOK_RECEIVE_ADDRESS: 'address',
  RIVERHOOK_RECEIVE_UNAUTHENTICATED: 'unauthenticated',
  RIVERHOOK_RECEIVE_TOO_LARGE: 'too_large',
  RIVERHOOK_RECEIVE_MEDIA_TYPE: 'media_type',
  RIVERHOOK_RECEIVE_METHOD: 'method',
  RIVERHOOK_INBOX_UNAVAILABLE: 'unavailable',
  RIVERHOOK_INBOX_DEADLINE: 'deadline',
  RIVERHOOK_INBOX_OVERLOADED: 'overloaded',
  RIVERHOOK_RECEIVE_OVERLOADED: 'overloaded',
  RIVERHOOK_RECEIVE_DRAINING: 'draining'
}

/** Returns the label `result` of a request that was refused with a code. */
export function refusalResult(code: RiverhookErrorCode | undefined): Result {
  return (code === undefined ? undefined : results[code]) ?? 'fault'
}
