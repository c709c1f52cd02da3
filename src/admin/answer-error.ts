import type { FastifyError } from 'fastify'

import { errorCodes, RiverhookError, type RiverhookErrorCode } from '../index.ts'

// Not imported as a module: that would load WebSocket and all of fetch at every start.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** The body of an error, in the form that all errors of Riverhook have. */
export interface ErrorAnswer {
  readonly statusCode: number
  readonly code: RiverhookErrorCode
  readonly error: string | undefined
  readonly message: string
}

/** The statuses of errors of the core. Those of the operator's API are in the table of codes. */
const statusOfCore: Partial<Record<RiverhookErrorCode, number>> = {
  RIVERHOOK_OPTIONS_INVALID: 400,
  RIVERHOOK_HANDLERS_UNKNOWN: 404,
  RIVERHOOK_INBOX_KEY_USED: 409,
  RIVERHOOK_INBOX_READS_BUSY: 429,
  RIVERHOOK_INBOX_CLOSED: 503,
  RIVERHOOK_INBOX_UNAVAILABLE: 503,
  RIVERHOOK_INBOX_READ_LIMIT: 504,
  RIVERHOOK_MANAGE_NOT_CREATED: 409,
  RIVERHOOK_MANAGE_UNSETTLED: 409,
  RIVERHOOK_API_REFUSED: 502,
  RIVERHOOK_API_UNREACHABLE: 502,
  RIVERHOOK_API_ANSWER: 502
}

/**
 * The answer to an error. The operator may read the message of an error that Riverhook throws on purpose; any other
 * error is an internal one, which only the log describes.
 */
export function answerError(error: unknown): ErrorAnswer {
  const { code, message } = knownError(error) ?? fault
  const statusCode = statusOf(code)
  if (statusCode === undefined) return answerError(fault)
  return { statusCode, code, error: STATUS_CODES[statusCode], message }
}

const fault = new RiverhookError('RIVERHOOK_ADMIN_FAULT', 'Internal error; the log has the details')

function statusOf(code: RiverhookErrorCode): number | undefined {
  const entry: { readonly statusCode?: number; readonly means: string } = errorCodes[code]
  return code.startsWith('RIVERHOOK_ADMIN_') ? entry.statusCode : statusOfCore[code]
}

/** Mistakes in a body, by Fastify's code. */
const faultsOfBody: ReadonlyMap<string, readonly [code: RiverhookErrorCode, message: string]> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', ['RIVERHOOK_ADMIN_TOO_LARGE', 'The body is larger than 64 KiB']],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', ['RIVERHOOK_ADMIN_MEDIA_TYPE', 'Send the body as content-type: application/json']],
  ['FST_ERR_CTP_INVALID_CONTENT_LENGTH', ['RIVERHOOK_ADMIN_INVALID', 'The body is not as long as its content-length']]
])

/** An error that Riverhook throws, or Fastify for a body or a schema. Undefined for any other one. */
export function knownError(error: unknown): RiverhookError | undefined {
  if (error instanceof RiverhookError) return error
  if (!(error instanceof Error)) return undefined
  const { code, validation, validationContext } = error as FastifyFault
  if (validation !== undefined)
    return new RiverhookError(
      'RIVERHOOK_ADMIN_INVALID',
      describeFault(validation, validationContext ?? 'request') ?? error.message
    )
  const known = code === undefined ? undefined : faultsOfBody.get(code)
  return known === undefined ? undefined : new RiverhookError(...known)
}

/** A fault that names the field: the message of ajv does not name one that is unknown. */
function describeFault([fault]: NonNullable<FastifyFault['validation']>, part: string): string | undefined {
  if (fault === undefined) return undefined
  const { instancePath, message = 'is not valid', params } = fault
  const { additionalProperty, allowedValues } = params
  const where = `${part}${instancePath.replaceAll('/', '.')}`
  if (typeof additionalProperty === 'string') return `${where}: "${additionalProperty.slice(0, 50)}" is unknown`
  return `${where} ${message}${Array.isArray(allowedValues) ? `: ${allowedValues.join(', ')}` : ''}`
}

type FastifyFault = Error & {
  readonly code?: string
  readonly validation?: FastifyError['validation']
  readonly validationContext?: string
}
