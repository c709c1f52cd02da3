/** The provider's names of its statuses. */
const types: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  408: 'request_timeout',
  409: 'conflict',
  429: 'too_many_requests',
  500: 'internal_server_error',
  502: 'bad_gateway',
  503: 'service_unavailable',
  504: 'gateway_timeout'
}

/** An error answer of the API. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string | undefined
  readonly parameter: string | undefined

  constructor(status: number, message: string, { code, parameter }: { code?: string; parameter?: string } = {}) {
    super(message)
    this.status = status
    this.code = code
    this.parameter = parameter
  }

  /** `{ type, errors: [{ code, parameter, message }] }`; unknown parts are left out. */
  body(): Readonly<Record<string, unknown>> {
    return { type: types[this.status], errors: [{ code: this.code, parameter: this.parameter, message: this.message }] }
  }
}

export function invalid(parameter: string, message: string): Refusal {
  return new Refusal(400, message, { code: 'invalid_parameter', parameter })
}

export function missing(parameter: string): Refusal {
  return new Refusal(400, `${parameter} is required.`, { code: 'missing_parameter', parameter })
}
