import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'

import { digitalRiver, RiverhookError, type AnyEvent, type Source, type SourceRequest } from '../index.ts'
import { keptHeaders } from '../programs.ts'
import { createDice } from './dice.ts'
import { merge } from './digital-river/samples/merge.ts'
import { sampleEvent } from './digital-river/sample-event.ts'

/** The sample event that is wanted. */
export interface SampleBodyOptions {
  /** Default: one that the source chooses. */
  readonly type?: string | undefined
  /** Default: a new one. */
  readonly id?: string | undefined
  /** When it happens. Default: now. */
  readonly at?: Date | undefined
  /** An event of the live environment. Default false. */
  readonly liveMode?: boolean | undefined
  /** The same seed gives the same event of a type, with the same id. */
  readonly seed?: number | string | undefined
}

/** A body, with the id and the type that `sign` needs. */
export interface SampleBody {
  readonly body: object
  readonly id: string
  readonly type: string | undefined
}

/**
 * Makes the body of an event as the provider would send it.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if the source has no `sample`
 */
export function sampleBody(source: Source, options: SampleBodyOptions = {}): SampleBody {
  const { type, liveMode = false, seed } = options
  const dice = createDice(seed === undefined ? undefined : `${seed}/${type ?? ''}`)
  const id = options.id ?? (seed === undefined ? randomUUID() : dice.uuid())
  if (source.sample !== undefined) {
    const at = options.at ?? (seed === undefined ? new Date() : seededTime(dice))
    return { body: source.sample({ type, id, at, liveMode }), id, type }
  }
  if (source.name !== digitalRiver().name)
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `The source ${source.name} has no sample(), so no event can be made for it: give the body yourself`
    )
  const choice = { liveMode, ...(options.id === undefined ? {} : { id }), ...createdAt(options.at) }
  const event = sampleEvent(type ?? 'order.accepted', choice, seed === undefined ? {} : { seed })
  return { body: event, id: event.id, type: event.type }
}

function createdAt(at: Date | undefined): { readonly createdTime?: string } {
  return at === undefined ? {} : { createdTime: at.toISOString() }
}

function seededTime(dice: ReturnType<typeof createDice>): Date {
  return new Date(Date.UTC(2026, 0, 1) + dice.whole(0, 365 * 24 * 60) * 60_000)
}

/** The parts of a request to sign. */
export interface SignedHeadersInput {
  readonly body: Uint8Array
  readonly secret: string
  /** Default: now. */
  readonly at?: Date | undefined
  readonly id?: string | undefined
  readonly type?: string | undefined
}

/**
 * Returns the headers of a signed request with this body, names in lower case: the media type, the signature, and the
 * id and the type where they are headers.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if the source cannot sign; RIVERHOOK_SOURCE_SECRET
 */
export function signedHeaders(source: Source, input: SignedHeadersInput): Record<string, string> {
  if (source.sign === undefined)
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `The source ${source.name} has no sign(), so nothing can be sent in its name. Have the provider send a test event`
    )
  const signed = source.sign({ ...input, at: input.at ?? new Date() })
  return {
    'content-type': 'application/json',
    ...Object.fromEntries(Object.entries(signed).map(([name, value]) => [name.toLowerCase(), value]))
  }
}

/**
 * Reads the first event in a request as a receiver would, without verifying the request: for example to get an id that
 * is a digest of the body.
 * @returns undefined if the request holds no event that the source can read
 */
export function eventIn(source: Source, request: SourceRequest): AnyEvent | undefined {
  const parts = source.split?.({ ...request, method: 'POST', url: '/' }) ?? [request]
  const [first] = parts
  if (first === undefined) return undefined
  const reading = source.read({ headers: keptHeaders(source, first.headers), body: first.body })
  return reading.ok ? reading.event : undefined
}

/** A signed request of a source. */
export interface SampleRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** The request that is wanted. */
export interface SampleRequestOptions extends Omit<SampleBodyOptions, 'at'> {
  readonly secret: string
  /** The signed time. Default: now. */
  readonly at?: Date | undefined
  /** Fields of the body, merged object by object into the sample; of a body that is a list, fields of its item. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined
}

/**
 * Makes a request with a sample event, signed as the provider signs it, of any source that has `sign` and `sample`.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if it lacks one of them; RIVERHOOK_SOURCE_SECRET
 */
export function sampleRequest(source: Source, options: SampleRequestOptions): SampleRequest {
  const { secret, at, fields = {}, ...wanted } = options
  const made = sampleBody(source, wanted)
  const merged = mergeAt(made.body, Array.isArray(made.body) ? ['0'] : [], fields)
  const body = Buffer.from(JSON.stringify(merged))
  return { headers: signedHeaders(source, { body, secret, at, id: made.id, type: made.type }), body }
}

/**
 * Completes an event that a test gives: its fields are merged into the sample of its type, where handlers will find
 * them.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for a field that is not in the body
 */
export function completeBody(
  source: Source,
  given: Readonly<Record<string, unknown>>,
  options: SampleBodyOptions
): SampleBody {
  const made = sampleBody(source, options)
  const { id: _id, type: _type, createdTime: _createdTime, liveMode: _liveMode, ...fields } = given
  const names = Object.keys(fields)
  const [first] = names
  if (first === undefined) return made
  const place = placeIn(made.body, { ...eventOf(source, made) })
  if (place?.of === 'event') return { ...made, body: mergeAt(made.body, place.path, fields) }
  const other = names.find((name) => name !== 'payload')
  if (place === undefined || other !== undefined) throw misplaced(source, other ?? first)
  return { ...made, body: mergeAt(made.body, place.path, fields['payload'] as Record<string, unknown>) }
}

/** The event in a body that was made, as handlers get it. Undefined: the source cannot read it. */
export function eventOf(source: Source, { body, id, type }: SampleBody): AnyEvent | undefined {
  const bytes = Buffer.from(JSON.stringify(body))
  const headers =
    source.sign === undefined ? {} : signedHeaders(source, { body: bytes, secret: newSecret(source), id, type })
  return eventIn(source, { headers, body: bytes })
}

/** The object in a body that is the event's payload, or whose fields the event has itself. */
interface Place {
  readonly path: readonly string[]
  readonly of: 'payload' | 'event'
}

/** Finds the place of the event's fields, outermost first: in the body of a batch it lies deeper. */
function placeIn(body: object, event: Readonly<Record<string, unknown>>): Place | undefined {
  const found: { readonly value: object; readonly path: readonly string[] }[] = [{ value: body, path: [] }]
  // Grows while it is read.
  for (const { value, path } of found) {
    const fields = Object.entries(value as Readonly<Record<string, unknown>>)
    if (isDeepStrictEqual(event['payload'], value)) return { path, of: 'payload' }
    if (fields.length > 0 && fields.every(([name, each]) => isDeepStrictEqual(each, event[name])))
      return { path, of: 'event' }
    for (const [name, each] of fields)
      if (typeof each === 'object' && each !== null) found.push({ value: each, path: [...path, name] })
  }
  return undefined
}

/** A copy of the body in which the fields are merged into the object at the path. */
function mergeAt(body: object, [step, ...rest]: readonly string[], fields: Readonly<Record<string, unknown>>): object {
  if (step === undefined) return merge(body as Record<string, unknown>, fields)
  const each = body as Readonly<Record<string, object>>
  const below = { [step]: mergeAt(each[step] ?? {}, rest, fields) }
  return Array.isArray(body) ? Object.assign([...(body as readonly object[])], below) : { ...body, ...below }
}

function misplaced({ name }: Source, field: string): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    `send: "${field}" of an event of ${name} is not taken from its body as it is; give the whole "body", or "headers"`
  )
}

/**
 * A new signing secret of a form that the source accepts.
 * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET if no usual form is accepted
 */
export function newSecret(source: Source): string {
  const text = randomUUID()
  const hex = text.replaceAll('-', '')
  const base64 = Buffer.from(hex).toString('base64')
  if (source.name === digitalRiver().name) return `whk_${text}`
  const usable = [`whsec_${base64}`, hex, base64, text].find((form) => isUsable(source, form)) ?? newPrivateKey(source)
  if (usable !== undefined) return usable
  throw new RiverhookError(
    'RIVERHOOK_SOURCE_SECRET',
    `No secret can be made for the source ${source.name}, as its secrets have another form: give one`
  )
}

/** A private key of P-256, whose public half verifies, if the source accepts one. */
function newPrivateKey(source: Source): string | undefined {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    publicKeyEncoding: { type: 'spki', format: 'der' }
  })
  const key = privateKey.toString('base64')
  return isUsable(source, key) ? key : undefined
}

function isUsable(source: Source, secret: string): boolean {
  try {
    source.verifier([secret])
    source.sign?.({ body: Buffer.from('{}'), secret, at: new Date() })
    return true
  } catch (error) {
    if (error instanceof RiverhookError) return false
    throw error
  }
}
