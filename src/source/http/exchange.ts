/** A request that is ready to be sent. */
export interface Outgoing {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Undefined if it was too large to read. */
  readonly text: string | undefined
}

/** Why no complete answer came. The request may have taken effect. */
export interface NoAnswer {
  readonly status: undefined
  readonly reason: string
}

/** The largest answer, in bytes. A hundred events are about 100 KiB. */
const longestBody = 16 * 1024 * 1024

/**
 * One attempt: sends a request and reads the whole answer. Never throws.
 * @param timeoutMs for everything, including the body: a slow body would block the caller for ever
 * @param stop aborts it earlier
 */
export async function exchange(
  { url, method, headers, body }: Outgoing,
  timeoutMs: number,
  stop?: AbortSignal
): Promise<Answer | NoAnswer> {
  const limit = AbortSignal.timeout(timeoutMs)
  const signal = stop === undefined ? limit : AbortSignal.any([limit, stop])
  try {
    // Do not follow redirects: the key must not be sent anywhere else.
    const answer = await fetch(url, {
      method,
      headers,
      signal,
      redirect: 'manual',
      ...(body === undefined ? {} : { body })
    })
    return { status: answer.status, headers: answer.headers, text: await readBody(answer) }
  } catch (error) {
    return { status: undefined, reason: limit.aborted ? `no complete answer within ${timeoutMs} ms` : reasonOf(error) }
  }
}

/** Counts the decompressed bytes as they arrive: the length in the header may be wrong. */
async function readBody(answer: Response): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  if (answer.body === null) return text
  for await (const chunk of answer.body as ReadableStream<Uint8Array>) {
    bytes += chunk.byteLength
    // Leaving the loop cancels the rest.
    if (bytes > longestBody) return undefined
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** fetch only reports "fetch failed"; the system's error code is in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
  return [code, cause.message].filter((part) => part !== undefined && part !== '').join(': ')
}
