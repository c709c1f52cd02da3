import { deepEqual, equal, notEqual, ok, throws } from 'node:assert/strict'

import type { IncomingRequest, SourceRequest } from '../index.ts'
import { toSearchKeys } from '../programs.ts'
import {
  bytesOf,
  checkAnswer,
  describe,
  type Given,
  hasSecret,
  judge,
  kept,
  keysOf,
  lowered,
  otherThan,
  partsOf,
  prepare,
  read,
  requestOf,
  secretsOf,
  toleranceOf,
  verify
} from './source-sample.ts'

export async function acceptsSamples({ source, samples, options }: Given): Promise<void> {
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

export async function readsEvents({ source, samples }: Given): Promise<void> {
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

export async function readsTheSameFromWhatIsKept({ source, samples }: Given): Promise<void> {
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

export async function listsSearchKeys({ source, samples }: Given): Promise<void> {
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

export async function givesReadableParts({ source, samples }: Given): Promise<void> {
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

export async function refusesTampering({ source, samples, options }: Given): Promise<void> {
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

export async function refusesWrongSecrets({ source, samples, options }: Given): Promise<void> {
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

export async function refusesOldTimes({ source, samples, options }: Given): Promise<void> {
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

export async function verifiesWhatItSigns({ source, samples, options }: Given): Promise<void> {
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

export async function readsItsSamples({ source, samples, options }: Given): Promise<void> {
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

export async function answersProperly({ source, samples }: Given): Promise<void> {
  for (const sample of samples) {
    const { request, name } = requestOf(source, sample)
    equal(source.greet?.(request, { secrets: secretsOf([sample]) }), undefined, `${name} is no handshake`)
    const events = sample.events.map((event) => ({ ...event, result: 'accepted' as const }))
    checkAnswer(source.answer?.({ request, secret: sample.secret, events }), 299, `${name}: answer()`)
  }
}
