import { equal, ok } from 'node:assert/strict'

import {
  type Answer,
  type AnyEvent,
  type IncomingRequest,
  type Reading,
  RiverhookError,
  type Source,
  type SourceRequest,
  type Verdict,
  type Verifier
} from '../index.ts'
import { keptHeaders } from '../programs.ts'

/** A request as the provider sends it: captured, or signed by the source's own `sign`. */
export interface SourceSample {
  readonly body: string | Uint8Array
  /**
   * The headers, with those of the signature. For a source that has `sign`, without those of the signature: it adds
   * them.
   */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Default: `POST`. */
  readonly method?: string | undefined
  /** Path and query. Default: `/`. */
  readonly url?: string | undefined
  /** The secret that signs it. Undefined for a source without a signature: its `verifier` must refuse every secret. */
  readonly secret?: string | undefined
  /** Another secret of the same form. Default: `secret` with one letter changed, which is not a key of every scheme. */
  readonly otherSecret?: string | undefined
  /**
   * For a provider that signs some fields and not the bytes: whether a changed body differs in what is signed, so that
   * it must be refused. Default: every change must be refused.
   */
  readonly isSigned?: ((changed: Uint8Array) => boolean) | undefined
  /** When it was signed. Default: now. */
  readonly at?: Date | undefined
  /** Search keys that `keysOf` must list, for each event in it. Default: none. */
  readonly keys?: readonly string[] | undefined
  /** The events in it, in order; empty for a request that is only answered. */
  readonly events: readonly { readonly id: string; readonly type: string }[]
}

export interface SourceContractOptions {
  /** How many requests are made up for the check that nothing throws. Default: 2,000. */
  readonly requests?: number | undefined
  /** The seed of these requests: each run has the same ones. Default: 1. */
  readonly seed?: number | undefined
  /** The tolerance for the time of a request, in milliseconds. Default: 300,000. */
  readonly toleranceMs?: number | undefined
}

export interface Given {
  readonly source: Source
  readonly samples: readonly SourceSample[]
  readonly options: SourceContractOptions
}

export function keysOf(source: Source, event: AnyEvent, what: string): readonly unknown[] {
  const keys: unknown = source.keysOf?.(event) ?? []
  ok(Array.isArray(keys), `${what}: "keysOf" must return a list, and no promise`)
  return keys as readonly unknown[]
}

export function requestOf(
  source: Source,
  sample: SourceSample
): { readonly request: IncomingRequest; readonly at: Date; readonly name: string } {
  const { method = 'POST', url = '/', secret, at = new Date(), events } = sample
  const body = bytesOf(sample.body)
  const [event] = events
  const signed =
    secret === undefined ? {} : (source.sign?.({ body, secret, at, id: event?.id, type: event?.type }) ?? {})
  const name = `the sample ${event === undefined ? 'without events' : `of ${event.type} ${event.id}`}`
  return { request: { method, url, headers: { ...lowered(signed), ...lowered(sample.headers) }, body }, at, name }
}

export function lowered(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

export function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body
}

export function partsOf(source: Source, request: IncomingRequest): readonly SourceRequest[] {
  const parts: unknown = source.split === undefined ? [request] : source.split(request)
  ok(Array.isArray(parts), 'split() must return a list of requests')
  return parts as readonly SourceRequest[]
}

export function kept(source: Source, { headers, body }: SourceRequest): SourceRequest {
  return { headers: keptHeaders(source, headers), body }
}

export function read(source: Source, request: SourceRequest, name: string): AnyEvent {
  const reading = source.read(request)
  ok(reading.ok, `${name} must be readable with the headers of "keep" alone; read says: ${describe(reading)}`)
  return reading.event
}

export function prepare(source: Source, secrets: readonly string[]): readonly [Verifier] {
  return [source.verifier(secrets)]
}

export async function verify(
  source: Source,
  secrets: readonly string[],
  request: IncomingRequest,
  now: Date,
  options: SourceContractOptions
): Promise<Verdict> {
  return judge(source.verifier(secrets), request, now, options)
}

/** The verdict; a rejection because something cannot be fetched now is a refusal. */
export async function judge(
  verifier: Verifier,
  request: IncomingRequest,
  now: Date,
  options: SourceContractOptions
): Promise<Verdict> {
  const verdict = verifier.verify(request, now, toleranceOf(options))
  if ('ok' in verdict) return verdict
  try {
    return await verdict
  } catch (error) {
    if (!(error instanceof RiverhookError) || error.code !== 'RIVERHOOK_RECEIVE_FAULT') throw error
    return { ok: false, reason: 'no_match', detail: error.message }
  }
}

export function toleranceOf({ toleranceMs = 300_000 }: SourceContractOptions): number {
  return toleranceMs
}

type SecretSample = SourceSample & { readonly secret: string }

export function hasSecret(sample: SourceSample): sample is SecretSample {
  return sample.secret !== undefined
}

export function secretsOf(samples: readonly SourceSample[]): readonly string[] {
  return samples.filter(hasSecret).map(({ secret }) => secret)
}

/** A secret of the same form: sources may refuse one that is not. */
export function otherThan({ secret, otherSecret }: SecretSample): string {
  if (otherSecret !== undefined) return otherSecret
  // A letter in the middle: a prefix, and padding at the end, stay as they are.
  const index = Math.floor(secret.length / 2)
  const other = secret[index] === 'A' ? 'B' : 'A'
  return secret.slice(0, index) + other + secret.slice(index + 1)
}

export function checkAnswer(answer: Answer | undefined, most: number, what: string): void {
  if (answer === undefined) return
  const { status, headers = {}, body = '' } = answer
  ok(Number.isInteger(status) && status >= 200 && status <= most, `${what}: the status must be 200 to ${most}`)
  equal(typeof body, 'string', `${what}: the body must be a text`)
  for (const [name, value] of Object.entries(headers))
    ok(/^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value), `${what}: the header ${name}`)
}

export function describe(found: Verdict | Reading): string {
  if (found.ok) return 'ok'
  return 'detail' in found ? `${found.reason}, ${found.detail}` : `${found.code}, ${found.message}`
}
