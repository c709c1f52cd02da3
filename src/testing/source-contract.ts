import { deepEqual, equal, notEqual, ok, throws } from 'node:assert/strict'

import { RiverhookError } from '../index.ts'
import { keptHeaders, toSearchKeys } from '../programs.ts'
import type { Answer, AnyEvent, IncomingRequest, Reading, Source, SourceRequest, Verdict, Verifier } from '../index.ts'
import { createDice, type Dice } from './dice.ts'

/** A function such as `test` of node:test or vitest, or an object that has it, such as `t` of tap. */
export type TestRunner = RunTest | { readonly test: RunTest }
type RunTest = (name: string, run: () => Promise<void>) => unknown

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

/**
 * Tests that a source keeps its contract: one test for each promise. Give several samples: an ordinary event, one with
 * characters outside ASCII, a batch and a challenge, if the provider sends these.
 *
 * import { test } from 'node:test' await sourceContract(test, payments, [{ body, headers, secret, at, events: [{ id:
 * 'ev_1', type: 'invoice.paid' }] }])
 *
 * @param test makes a test of a name and a function; nothing but a thrown error means failure
 */
export async function sourceContract(
  test: TestRunner,
  source: Source,
  samples: readonly SourceSample[],
  options: SourceContractOptions = {}
): Promise<void> {
  if (samples.length === 0)
    throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', 'sourceContract: give at least one sample')
  const run: RunTest = typeof test === 'function' ? test : test.test.bind(test)
  for (const [name, check] of Object.entries(checks)) {
    await run(`${source.name}: ${name}`, async () => {
      await check({ source, samples, options })
    })
  }
}

interface Given {
  readonly source: Source
  readonly samples: readonly SourceSample[]
  readonly options: SourceContractOptions
}

type Check = (given: Given) => Promise<void>

/** The promises, by the name of their test. */
const checks: Readonly<Record<string, Check>> = {
  'accepts each sample, also with several secrets, and says which one matched': acceptsSamples,
  'reads the events of each sample': readsEvents,
  'reads the same from what is kept as from the whole request': readsTheSameFromWhatIsKept,
  'gives parts that are readable by themselves': givesReadableParts,
  'refuses every tampered byte': refusesTampering,
  'refuses a wrong secret, and a request without a signature': refusesWrongSecrets,
  'refuses an old time and a time in the future, where the time is signed': refusesOldTimes,
  'verifies what it signs': verifiesWhatItSigns,
  'reads the samples that it makes': readsItsSamples,
  'answers only what is a handshake before it is verified, and recorded events with 2xx': answersProperly,
  'lists the search keys of its events, if it has any': listsSearchKeys,
  'never throws, whatever the headers and bytes are': neverThrows
}

async function acceptsSamples({ source, samples, options }: Given): Promise<void> {
  for (const sample of samples.filter(hasSecret)) {
    const { request, at, name } = requestOf(source, sample)
    const one = await verify(source, [sample.secret], request, at, options)
    ok(one.ok, `${name} must be accepted; verify says: ${describe(one)}`)
    equal(one.secret, 1, `${name}: "secret" is the position of the secret that matched, counted from 1`)
    const two = await verify(source, [otherThan(sample), sample.secret], request, at, options)
    equal(two.ok && two.secret, 2, `${name}: the second of two secrets must be accepted, and its position given`)
    if (source.precheck !== undefined) equal(source.precheck(request).ok, true, `${name}: precheck must let it pass`)
  }
  if (samples.every(hasSecret)) return
  throws(
    () => source.verifier(['0123456789abcdef']),
    { code: 'RIVERHOOK_SOURCE_SECRET' },
    'verifier() of a source without a signature must refuse a secret: otherwise it would check nothing'
  )
}

async function readsEvents({ source, samples }: Given): Promise<void> {
  for (const sample of samples) {
    const { request, name } = requestOf(source, sample)
    const found = partsOf(source, request).map((part) => read(source, kept(source, part), name))
    deepEqual(
      found.map(({ id, type }) => ({ id, type })),
      sample.events.map(({ id, type }) => ({ id, type })),
      `${name}: the ids and types of its events`
    )
  }
}

async function readsTheSameFromWhatIsKept({ source, samples }: Given): Promise<void> {
  for (const sample of samples) {
    const { request, name } = requestOf(source, sample)
    for (const part of partsOf(source, request))
      deepEqual(
        source.read(kept(source, part)),
        source.read({ headers: { ...request.headers, ...part.headers }, body: part.body }),
        `${name}: "read" needs a header that "keep" does not name`
      )
  }
}

async function listsSearchKeys({ source, samples }: Given): Promise<void> {
  if (source.keysOf === undefined) return
  for (const sample of samples) {
    const { request, name } = requestOf(source, sample)
    for (const part of partsOf(source, request)) {
      const event = read(source, kept(source, part), name)
      const keys = keysOf(source, event, name)
      deepEqual(
        keys,
        keysOf(source, read(source, kept(source, part), name), name),
        `${name}: the same event has the same keys`
      )
      for (const key of sample.keys ?? [])
        ok(toSearchKeys(keys).includes(key.toLowerCase()), `${name}: "keysOf" must list ${key}`)
    }
  }
}

function keysOf(source: Source, event: AnyEvent, what: string): readonly unknown[] {
  const keys: unknown = source.keysOf?.(event) ?? []
  ok(Array.isArray(keys), `${what}: "keysOf" must return a list, and no promise`)
  return keys as readonly unknown[]
}

async function givesReadableParts({ source, samples }: Given): Promise<void> {
  for (const sample of samples) {
    const { request, name } = requestOf(source, sample)
    const parts = partsOf(source, request)
    equal(parts.length, sample.events.length, `${name}: one part for each event`)
    for (const part of parts) {
      ok(part.body instanceof Uint8Array, `${name}: the body of a part must be bytes`)
      // As the inbox gives them back: other bytes, equal headers.
      const stored: SourceRequest = { headers: { ...kept(source, part).headers }, body: Uint8Array.from(part.body) }
      const first = read(source, stored, name)
      deepEqual(read(source, stored, name), first, `${name}: reading a part again gives the same event`)
    }
  }
}

/** Bytes of a sample that are changed, at most: one by one, or evenly spread over a longer body. */
const mostTampered = 2_048

async function refusesTampering({ source, samples, options }: Given): Promise<void> {
  for (const sample of samples.filter(hasSecret)) {
    const { request, at, name } = requestOf(source, sample)
    const { isSigned = () => true } = sample
    const [verifier] = prepare(source, [sample.secret])
    const isRefused = async (body: Uint8Array): Promise<boolean> =>
      !(await judge(verifier, { ...request, body }, at, options)).ok
    const { body } = request
    const step = Math.max(1, Math.ceil(body.length / mostTampered))
    for (let index = 0; index < body.length; index += step) {
      const tampered = Uint8Array.from(body)
      tampered[index] = (body[index] ?? 0) ^ 1
      if (isSigned(tampered)) ok(await isRefused(tampered), `${name} must be refused with another byte at ${index}`)
    }
    const longer = Buffer.concat([body, Buffer.from(' ')])
    if (isSigned(longer)) ok(await isRefused(longer), `${name} must be refused with a byte added`)
    if (body.length > 0) ok(await isRefused(body.subarray(0, -1)), `${name} must be refused without its last byte`)
  }
}

async function refusesWrongSecrets({ source, samples, options }: Given): Promise<void> {
  for (const sample of samples.filter(hasSecret)) {
    const { request, at, name } = requestOf(source, sample)
    const { isSigned = () => true } = sample
    const wrong = await verify(source, [otherThan(sample)], request, at, options)
    equal(wrong.ok, false, `${name} must be refused with another secret`)
    // Other bytes: the signature of these may be inside the body.
    for (const body of [Buffer.concat([request.body, Buffer.from(' ')]), Buffer.from('{}'), Buffer.alloc(0)]) {
      if (!isSigned(body)) continue
      const bare = await verify(source, [sample.secret], { ...request, headers: {}, body }, at, options)
      equal(bare.ok, false, `${name} must be refused without its headers and with another body`)
    }
  }
}

async function refusesOldTimes({ source, samples, options }: Given): Promise<void> {
  for (const sample of samples.filter(hasSecret)) {
    const { request, at, name } = requestOf(source, sample)
    const verdict = await verify(source, [sample.secret], request, at, options)
    if (!verdict.ok || verdict.signedAt === undefined) continue
    const { signedAt } = verdict
    ok(signedAt instanceof Date && !Number.isNaN(signedAt.getTime()), `${name}: "signedAt" must be a valid Date`)
    for (const [what, by] of [
      ['old', toleranceOf(options) + 1_000],
      ['in the future', -toleranceOf(options) - 1_000]
    ] as const) {
      const late = await verify(source, [sample.secret], request, new Date(signedAt.getTime() + by), options)
      equal(late.ok, false, `${name} must be refused when its time is ${what} by more than the tolerance`)
      equal(late.reason, 'clock', `${name}: the reason for a time that is ${what} is "clock"`)
    }
    const inTime = new Date(signedAt.getTime() + toleranceOf(options) - 1_000)
    equal((await verify(source, [sample.secret], request, inTime, options)).ok, true, `${name}: within the tolerance`)
  }
}

async function verifiesWhatItSigns({ source, samples, options }: Given): Promise<void> {
  if (source.sign === undefined) return
  // sign() signs one event.
  for (const sample of samples.filter(hasSecret).filter(({ events }) => events.length === 1)) {
    const [event] = sample.events
    const body = bytesOf(sample.body)
    const at = sample.at ?? new Date()
    const signed: Record<string, string> = source.sign({
      body,
      secret: sample.secret,
      at,
      id: event?.id,
      type: event?.type
    })
    const request: IncomingRequest = {
      ...requestOf(source, sample).request,
      headers: { ...lowered(sample.headers), ...lowered(signed) }
    }
    const verdict = await verify(source, [sample.secret], request, at, options)
    ok(verdict.ok, `what sign() returns must be accepted; verify says: ${describe(verdict)}`)
    if (verdict.signedAt !== undefined)
      ok(Math.abs(verdict.signedAt.getTime() - at.getTime()) < 1_000, 'sign() must sign the time that it is given')
    for (const [index, part] of partsOf(source, request).entries())
      equal(read(source, kept(source, part), 'what sign() signs').id, sample.events[index]?.id)
    const other = source.sign({ body, secret: otherThan(sample), at, id: event?.id, type: event?.type })
    notEqual(JSON.stringify(other), JSON.stringify(signed), 'sign() must depend on the secret')
  }
}

async function readsItsSamples({ source, samples, options }: Given): Promise<void> {
  const [secret] = secretsOf(samples)
  if (source.sample === undefined || secret === undefined) return
  // Without `sign`, nothing adds the headers that `read` needs.
  if (source.sign === undefined && (source.keep ?? []).length > 0) return
  const types = new Set([
    undefined,
    ...samples.flatMap(({ events }) => events.map(({ type }) => type)),
    ...source.types
  ])
  for (const type of [...types].slice(0, 20)) {
    const ids = await Promise.all(
      ['msg_sample_1', 'msg_sample_2'].map(async (id) => {
        const at = new Date()
        const name = `the sample of ${type ?? 'no type'}`
        const body = Buffer.from(JSON.stringify(source.sample?.({ type, id, at, liveMode: false })))
        const headers = lowered(source.sign?.({ body, secret, at, id, type }))
        const request: IncomingRequest = { method: 'POST', url: '/', headers, body }
        const verdict = await verify(source, [secret], request, at, options)
        ok(verdict.ok || source.sign === undefined, `${name} must be accepted; verify says: ${describe(verdict)}`)
        const [event, ...others] = partsOf(source, request).map((part) => read(source, kept(source, part), name))
        ok(event !== undefined && others.length === 0, `${name} must hold one event`)
        if (type !== undefined) equal(event.type, type, `${name}: the type of the event`)
        return event.id
      })
    )
    notEqual(ids[0], ids[1], 'samples with different ids must be different events')
  }
}

async function answersProperly({ source, samples }: Given): Promise<void> {
  for (const sample of samples) {
    const { request, name } = requestOf(source, sample)
    equal(source.greet?.(request, { secrets: secretsOf([sample]) }), undefined, `${name} is no handshake`)
    const events = sample.events.map((event) => ({ ...event, result: 'accepted' as const }))
    checkAnswer(source.answer?.({ request, secret: sample.secret, events }), 299, `${name}: answer()`)
  }
}

async function neverThrows({ source, samples, options }: Given): Promise<void> {
  const { requests = 2_000, seed = 1 } = options
  const dice = createDice(seed)
  const verifiers = secretsOf(samples).map((secret) => prepare(source, [secret])[0])
  const given = samples.map((sample) => requestOf(source, sample).request)
  for (let index = 0; index < requests; index += 1) {
    const request = makeUp(dice, source, given)
    const attempt = async (method: string, call: () => unknown): Promise<void> => {
      try {
        await call()
      } catch (cause) {
        const text = `${method}() of ${source.name} threw for request ${index} of seed ${seed}, ${show(request)}: ${String(cause)}`
        throw new Error(text, { cause })
      }
    }
    const now = new Date()
    for (const secrets of [[], secretsOf(samples)]) {
      await attempt('greet', () => {
        const answer = source.greet?.(request, { secrets })
        checkAnswer(answer, 499, 'greet()')
      })
    }
    await attempt('precheck', () => source.precheck?.(request).ok)
    for (const verifier of verifiers) {
      await attempt('verify', async () => {
        const verdict = await judge(verifier, request, now, options)
        equal(typeof verdict.ok, 'boolean', 'a verdict has "ok"')
      })
      await attempt('explain', () => verifier.explain?.(request))
    }
    let parts: readonly SourceRequest[] = [request]
    await attempt('split', () => {
      parts = partsOf(source, request)
    })
    for (const part of [...parts.slice(0, 100), request]) {
      let event: AnyEvent | undefined
      await attempt('read', () => {
        const reading: Reading = source.read(kept(source, part))
        equal(typeof reading.ok, 'boolean', 'a reading has "ok"')
        if (reading.ok) ok(typeof reading.event.id === 'string' && typeof reading.event.type === 'string')
        event = reading.ok ? reading.event : undefined
      })
      await attempt('keysOf', () => (event === undefined ? [] : keysOf(source, event, 'an odd event')))
    }
    await attempt('answer', () => {
      checkAnswer(source.answer?.({ request, secret: samples[0]?.secret, events: [] }), 299, 'answer()')
    })
  }
}

function requestOf(
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

function lowered(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body
}

function partsOf(source: Source, request: IncomingRequest): readonly SourceRequest[] {
  const parts: unknown = source.split === undefined ? [request] : source.split(request)
  ok(Array.isArray(parts), 'split() must return a list of requests')
  return parts as readonly SourceRequest[]
}

function kept(source: Source, { headers, body }: SourceRequest): SourceRequest {
  return { headers: keptHeaders(source, headers), body }
}

function read(source: Source, request: SourceRequest, name: string): AnyEvent {
  const reading = source.read(request)
  ok(reading.ok, `${name} must be readable with the headers of "keep" alone; read says: ${describe(reading)}`)
  return reading.event
}

function prepare(source: Source, secrets: readonly string[]): readonly [Verifier] {
  return [source.verifier(secrets)]
}

async function verify(
  source: Source,
  secrets: readonly string[],
  request: IncomingRequest,
  now: Date,
  options: SourceContractOptions
): Promise<Verdict> {
  return judge(source.verifier(secrets), request, now, options)
}

/** The verdict; a rejection because something cannot be fetched now is a refusal. */
async function judge(
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

function toleranceOf({ toleranceMs = 300_000 }: SourceContractOptions): number {
  return toleranceMs
}

type SecretSample = SourceSample & { readonly secret: string }

function hasSecret(sample: SourceSample): sample is SecretSample {
  return sample.secret !== undefined
}

function secretsOf(samples: readonly SourceSample[]): readonly string[] {
  return samples.filter(hasSecret).map(({ secret }) => secret)
}

/** A secret of the same form: sources may refuse one that is not. */
function otherThan({ secret, otherSecret }: SecretSample): string {
  if (otherSecret !== undefined) return otherSecret
  // A letter in the middle: a prefix, and padding at the end, stay as they are.
  const index = Math.floor(secret.length / 2)
  const other = secret[index] === 'A' ? 'B' : 'A'
  return secret.slice(0, index) + other + secret.slice(index + 1)
}

function checkAnswer(answer: Answer | undefined, most: number, what: string): void {
  if (answer === undefined) return
  const { status, headers = {}, body = '' } = answer
  ok(Number.isInteger(status) && status >= 200 && status <= most, `${what}: the status must be 200 to ${most}`)
  equal(typeof body, 'string', `${what}: the body must be a text`)
  for (const [name, value] of Object.entries(headers))
    ok(/^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value), `${what}: the header ${name}`)
}

function describe(found: Verdict | Reading): string {
  if (found.ok) return 'ok'
  return 'detail' in found ? `${found.reason}, ${found.detail}` : `${found.code}, ${found.message}`
}

function show({ method, url, headers, body }: IncomingRequest): string {
  const text = Buffer.from(body).subarray(0, 200).toString('latin1')
  return `${method} ${url} ${JSON.stringify(headers).slice(0, 500)} ${JSON.stringify(text)}`
}

/** Texts that parsers stumble over. */
const oddTexts = [
  '',
  ' ',
  ',',
  '=',
  't=,v1=',
  ','.repeat(2_000),
  'a=b,'.repeat(500),
  '-1',
  '1e400',
  'NaN',
  '0x10',
  '9'.repeat(400),
  '%E0%A4%A',
  '__proto__',
  '\u00ff\u00fe',
  'v1,'.repeat(300)
] as const

const oddBodies = [
  '',
  'null',
  '0',
  '"text"',
  '[]',
  '[null]',
  '[[]]',
  '{}',
  '{"__proto__":null}',
  '{"id":null,"type":1}',
  '{"id":"\\ud800","type":"\\u0000"}',
  '{"data":null}',
  '{"events":null}',
  '{"events":[null,1,"x"]}',
  '['.repeat(10_000),
  '{"a":'.repeat(5_000),
  '[{},'.repeat(200),
  '\ufeff{}',
  '{"id":"x"'
] as const

/** A request that no provider would send: of odd parts, or of a sample with something changed. */
function makeUp(dice: Dice, source: Source, samples: readonly IncomingRequest[]): IncomingRequest {
  const sample = samples[dice.whole(0, samples.length - 1)] as IncomingRequest
  const names = [...new Set([...samples.flatMap(({ headers }) => Object.keys(headers)), ...(source.keep ?? [])])]
  const headers: Record<string, string | readonly string[] | undefined> = { ...sample.headers }
  for (const name of names) {
    const text = (): string => {
      const before = sample.headers[name]
      const known = typeof before === 'string' ? before : ''
      const cut = dice.whole(0, known.length)
      return dice.pick([
        dice.pick(oddTexts),
        known,
        known.slice(0, cut),
        known.slice(cut),
        known.slice(0, cut) + dice.pick(oddTexts) + known.slice(cut),
        `${known}, ${known}`,
        randomText(dice)
      ])
    }
    switch (dice.whole(0, 4)) {
      case 0:
        headers[name] = undefined
        break
      case 1:
        headers[name] = text()
        break
      case 2:
        headers[name] = [text(), text()]
        break
      default:
    }
  }
  const url = dice.pick(['/', sample.url, `${sample.url}?${randomText(dice)}`, '//', '/%', `/?${dice.pick(oddTexts)}`])
  const method = dice.pick(['POST', 'POST', 'POST', ...(source.methods ?? [])])
  return { method, url, headers, body: randomBody(dice, sample.body) }
}

function randomText(dice: Dice): string {
  return Array.from({ length: dice.whole(0, 30) }, () => String.fromCharCode(dice.whole(0x20, 0xff))).join('')
}

function randomBody(dice: Dice, body: Uint8Array): Uint8Array {
  const changed = Buffer.from(body)
  const cut = dice.whole(0, body.length)
  switch (dice.whole(0, 5)) {
    case 0:
      return Buffer.from(dice.pick(oddBodies))
    case 1:
      return Buffer.from(Array.from({ length: dice.whole(0, 64) }, () => dice.whole(0, 255)))
    case 2:
      if (body.length > 0) changed[Math.min(cut, body.length - 1)] = dice.whole(0, 255)
      return changed
    case 3:
      return changed.subarray(0, cut)
    case 4: {
      // A value of another kind somewhere.
      const values = ['null', '0', '[]', '{}', '"x"', 'true'] as const
      const text = changed
        .toString()
        .replace(/"[^"]*"(?!:)|\d+|true|false/g, (value) => (dice.whole(0, 3) === 0 ? dice.pick(values) : value))
      return Buffer.from(text)
    }
    default:
      return changed
  }
}
