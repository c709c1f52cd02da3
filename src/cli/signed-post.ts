import { RiverhookError, type Source } from '../index.ts'
import { readConfig, type ServerConfig } from '../options/environment.ts'
import { eventIn, signedHeaders } from '../testing/index.ts'

/** The answer of the endpoint. */
export interface Answer {
  /** The id of the event that was sent, as a receiver of the source reads it; undefined if it reads none. */
  readonly eventId: string | undefined
  readonly status: number
  readonly statusText: string
  readonly ok: boolean
  /** At most 64 KiB of it. */
  readonly text: string
}

/** Longer than the provider waits, so that a late answer is seen to be late. */
const shortestTimeoutMs = 10_000
const longestAnswer = 65_536

/** The request to sign and to send. */
export interface Post {
  readonly body: Uint8Array
  readonly secret: string
  /** For a provider that sends them in headers. */
  readonly id?: string | undefined
  readonly type?: string | undefined
}

/**
 * Signs the bytes as the source does, with the current time, and POSTs them. Follows no redirect: providers treat one
 * as a failure, and the event would go to an unintended server.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE without an answer in time
 */
export async function signedPost(
  { url, source }: { readonly url: string; readonly source: Source },
  post: Post
): Promise<Answer> {
  const { body } = post
  const headers = signedHeaders(source, post)
  const timeoutMs = Math.max(shortestTimeoutMs, (source.limits?.answerMs ?? 0) + 5_000)
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: Uint8Array.from(body),
      headers,
      redirect: 'manual',
      signal
    })
    const { status, statusText, ok } = response
    return { eventId: eventIn(source, { headers, body })?.id, status, statusText, ok, text: await textOf(response) }
  } catch (error) {
    if (signal.aborted)
      throw new RiverhookError('RIVERHOOK_CLI_USAGE', `${url} did not answer within ${timeoutMs / 1000} s`, {
        cause: error
      })
    const { cause } = error as { cause?: unknown }
    const reason = cause instanceof Error ? cause.message : error instanceof Error ? error.message : String(error)
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      `${url} cannot be reached: ${reason}. Is the server running, and is this its address?`,
      { cause: error }
    )
  }
}

/** Reads at most the limit: the answer may be endless. */
async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  const body = response.body as ReadableStream<Uint8Array> | null
  for await (const chunk of body ?? []) {
    chunks.push(chunk)
    length += chunk.length
    if (length > longestAnswer)
      return `${Buffer.concat(chunks).subarray(0, longestAnswer).toString()}… (cut after 64 KiB)`
  }
  return Buffer.concat(chunks).toString()
}

/** Where the signing secret comes from: at most one of the two. */
export interface SecretFlags {
  readonly secret?: string
  readonly secretFile?: string
}

/** @throws {RiverhookError} RIVERHOOK_CLI_USAGE if the source cannot sign */
export function checkSigns({ name, sign }: Pick<Source, 'name' | 'sign'>): void {
  if (sign !== undefined) return
  throw new RiverhookError(
    'RIVERHOOK_CLI_USAGE',
    `The source ${name} cannot sign: only the provider can send its events. Have it send a test event, or test the ` +
      'handlers with createTestReceiver of riverhook/testing'
  )
}

/** @throws {RiverhookError} RIVERHOOK_CLI_USAGE if the source cannot sign, and if there is no secret */
export function requireSecret(source: Pick<Source, 'name' | 'sign'>, secret: string | undefined): string {
  checkSigns(source)
  if (secret !== undefined) return secret
  throw new RiverhookError(
    'RIVERHOOK_CLI_USAGE',
    'No signing secret. Start riverhook dev in this folder, pass --secret-file, or set RIVERHOOK_SECRETS or RIVERHOOK_SECRETS_FILE'
  )
}

/**
 * The secret on the command line.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE for both flags; RIVERHOOK_OPTIONS_INVALID for a file that cannot be read
 */
export function givenSecret({ secret, secretFile }: SecretFlags): string | undefined {
  if (secret !== undefined && secretFile !== undefined)
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'Pass either --secret or --secret-file, not both')
  if (secretFile === undefined) return secret
  return firstOf(readConfig({ RIVERHOOK_SECRETS_FILE: secretFile }))
}

function firstOf({ options }: Pick<ServerConfig, 'options'>): string | undefined {
  const { secrets } = options.endpoints?.[0] ?? options
  const list = typeof secrets === 'function' ? secrets() : secrets
  return typeof list === 'string' ? list : Array.isArray(list) ? (list as readonly string[])[0] : undefined
}
