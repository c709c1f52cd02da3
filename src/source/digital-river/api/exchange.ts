/** A request, ready to be sent. */
export interface Outgoing {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Undefined: larger than is read. */
  readonly text: string | undefined
}

/** No whole answer came, and why. Whether the request took effect is not known. */
export interface NoAnswer {
  readonly status: undefined
  readonly reason: string
}

/** A hundred events are some 100 KiB; a hundred times that is no answer but a fault. */
const longestBody = 16 * 1024 * 1024

/**
 * One try: sends a request and reads the whole answer. Never throws.
 * @param timeoutMs for everything together, the body too: a body that trickles in would hold the caller for ever
 * @param stop gives it up before
 */
export async function exchange(
  { url, method, headers, body }: Outgoing,
  timeoutMs: number,
  stop?: AbortSignal
): Promise<Answer | NoAnswer> {
  const limit = AbortSignal.timeout(timeoutMs)
  const signal = stop === undefined ? limit : AbortSignal.any([limit, stop])
  try {
    // A redirect is an answer like another: the key never goes anywhere but where it was meant for.
    const answer = await fetch(url, {
      method,
      headers,
      signal,
      redirect: 'manual',
      ...(body === undefined ? {} : { body })
    })
    return { status: answer.status, headers: answer.headers, text: await readBody(answer) }
  } catch (error) {
    return { status: undefined, reason: limit.aborted ? `no whole answer within ${timeoutMs} ms` : reasonOf(error) }
  }
}

/** Counts the bytes as they come, decompressed: the length in the header need not be true. */
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

/** fetch says no more than "fetch failed"; the system's own code is in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
  return [code, cause.message].filter((part) => part !== undefined && part !== '').join(': ')
}
