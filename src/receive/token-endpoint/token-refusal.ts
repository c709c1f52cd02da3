import { RiverhookError } from '../../model/errors.ts'
import type { AnswerCode } from '../reply.ts'

/** The errors of RFC 6749, 5.2, and the two of 4.1.2.1 for a server that cannot answer now. */
export type TokenErrorName =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'temporarily_unavailable'
  | 'server_error'

const codes = {
  invalid_request: 'RIVERHOOK_TOKEN_REQUEST',
  unauthorized_client: 'RIVERHOOK_TOKEN_REQUEST',
  unsupported_grant_type: 'RIVERHOOK_TOKEN_REQUEST',
  invalid_grant: 'RIVERHOOK_TOKEN_PASSWORD',
  invalid_client: 'RIVERHOOK_TOKEN_CLIENT'
} as const satisfies Partial<Record<TokenErrorName, AnswerCode>>

/** A request for a token that is refused. The message is for the client, and holds nothing that was sent. */
export class TokenRefusal extends RiverhookError {
  readonly error: keyof typeof codes

  constructor(error: keyof typeof codes, message: string) {
    super(codes[error], message)
    this.error = error
  }
}
