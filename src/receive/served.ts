import type { IncomingRequest } from '../source/source.ts'
import type { BodyStream } from './body.ts'
import type { Incoming } from './incoming.ts'
import type { Reply } from './reply.ts'

/** The head of a request. */
export interface RequestHead extends Omit<IncomingRequest, 'body'> {
  /** The host's id of the request, for `onRejected`. */
  readonly id: string
  /** The address of the sender, as the host determines it. Undefined if the host does not know it. */
  readonly ip?: string | undefined
}

/**
 * An endpoint, or its token endpoint, without its HTTP server. An adapter calls `begin` when the head of a request has
 * arrived, then `readBody` and `receive`, and sends the returned answer.
 */
export interface Served {
  /** The full path, with the prefixes of the host. */
  readonly path: string
  /** The HTTP methods that it answers. */
  readonly methods: readonly string[]
  /** In bytes. */
  readonly bodyLimit: number
  /** Accepted media types besides JSON. */
  readonly mediaTypes: readonly string[]
  /** Refuses a request by its head, before its body is read. Undefined: it is not refused. */
  admit(head: RequestHead, incoming: Incoming): Reply | undefined
  /** @param elapsedMs since the head of the request arrived */
  begin(elapsedMs?: number): Incoming
  /**
   * Reads the exact bytes, within the limit, the deadline and the budget.
   * @throws what `readRequestBody` throws
   */
  readBody(body: BodyStream, headers: RequestHead['headers'], incoming: Incoming): Promise<Buffer>
  /**
   * Answers a request. Never rejects.
   * @param body the bytes, or a function that reads them
   */
  receive(head: RequestHead, incoming: Incoming, body: () => Uint8Array | Promise<Uint8Array>): Promise<Reply>
  /** Returns the answer to a request that failed with this error, and logs it. */
  refuse(head: RequestHead, incoming: Incoming, error: unknown): Reply
}
