import { errorCodes, RiverhookError } from '../errors.ts'
import type { AnswerCode, Refusal } from './reply.ts'

/**
 * What a sender is answered when the route threw. What is not known to be the sender's mistake is a fault of ours, so a 5xx:
 * then the provider tries again.
 * @returns undefined for an error that carries a status of its own and is not of our making: one of the host's hooks threw it
 */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof RiverhookError) {
    return isAnswerCode(error.code) ? { code: error.code, message: publicMessage(error.code, error.message) } : fault
  }
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return { code: 'RIVERHOOK_RECEIVE_TOO_LARGE', message: 'The body is larger than this endpoint takes', headers: { connection: 'close' } }
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return { code: 'RIVERHOOK_RECEIVE_MEDIA_TYPE', message: 'The content type must be application/json' }
  const isOfHttp = typeof code === 'string' && (code.startsWith('FST_') || code.startsWith('ECONN') || code.startsWith('HPE_'))
  if (typeof statusCode !== 'number') return fault
  if (!isOfHttp) return undefined
  return statusCode >= 400 && statusCode < 500 ? { code: 'RIVERHOOK_RECEIVE_BAD_REQUEST', message: 'The request is broken or ended early' } : fault
}

const fault: Refusal = { code: 'RIVERHOOK_RECEIVE_FAULT', message: 'Internal error; try again' }

/** The state of our disk is nobody's business but ours: the log has it. */
function publicMessage(code: AnswerCode, message: string): string {
  const { statusCode } = errorCodes[code]
  return statusCode === 503 ? 'The event could not be recorded in time; try again' : statusCode >= 500 ? fault.message : message
}

function isAnswerCode(code: string): code is AnswerCode {
  return 'statusCode' in errorCodes[code as keyof typeof errorCodes]
}
