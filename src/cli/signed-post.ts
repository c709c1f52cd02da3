import { digitalRiver, RiverhookError } from '../index.ts'
import { readConfig } from '../server/config.ts'

/** Signs the bytes as Digital River does, as of now, and POSTs them. @throws {RiverhookError} RIVERHOOK_CLI_USAGE where nobody listens */
export async function signedPost(url: string, body: Uint8Array, secret: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...digitalRiver().sign({ body, secret, at: new Date() }) }
  try {
    return await fetch(url, { method: 'POST', body: Uint8Array.from(body), headers })
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    const reason = cause instanceof Error ? cause.message : error instanceof Error ? error.message : String(error)
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', `${url} cannot be reached: ${reason}. Is the server running, and is this its address?`, { cause: error })
  }
}

/** The secret of the command line, or the first that `riverhook serve` would use. @throws {RiverhookError} RIVERHOOK_CLI_USAGE where there is none */
export function signingSecret(flag: string | undefined): string {
  if (flag !== undefined) return flag
  const { secrets } = readConfig(process.env).options
  const list = typeof secrets === 'function' ? secrets() : secrets
  const first = typeof list === 'string' ? list : Array.isArray(list) ? (list as readonly string[])[0] : undefined
  if (first !== undefined) return first
  throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'Sign with what? Give --secret, or set RIVERHOOK_SECRETS or RIVERHOOK_SECRETS_FILE')
}
