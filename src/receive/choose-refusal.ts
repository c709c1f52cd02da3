import { errorCodes, RiverhookError } from '../model/errors.ts'
import type { AnswerCode, Refusal } from './reply.ts'

/**
 * Chooses the answer for an error of the route's handler or its body parser. Any error that is not known to be the
 * sender's mistake is an internal error with a 5xx, so that the provider retries.
 */
export function chooseRefusal(error: unknown): Refusal {
  if (!(error instanceof RiverhookError) || !isAnswerCode(error.code)) return fault
  return { code: error.code, message: publicMessage(error.code, error.message) }
}

const fault: Refusal = { code: 'RIVERHOOK_RECEIVE_FAULT', message: 'Internal error; try again' }

/** Only the log has the reason: the state of our disk must not reach a sender. */
function publicMessage(code: AnswerCode, message: string): string {
  const { statusCode } = errorCodes[code]
  return statusCode === 503
    ? 'The event could not be recorded in time; try again'
    : statusCode >= 500
      ? fault.message
      : message
}

function isAnswerCode(code: string): code is AnswerCode {
  return 'statusCode' in errorCodes[code as keyof typeof errorCodes] && !code.startsWith('RIVERHOOK_ADMIN_')
}
