import { equal, ok } from 'node:assert/strict'

import type { AnyEvent, IncomingRequest, Reading, SourceRequest } from '../index.ts'
import { createDice } from './dice.ts'
import { makeUp } from './odd-request.ts'
import {
  checkAnswer,
  type Given,
  judge,
  kept,
  keysOf,
  partsOf,
  prepare,
  requestOf,
  secretsOf
} from './source-sample.ts'

export async function neverThrows({ source, samples, options }: Given): Promise<void> {
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

function show({ method, url, headers, body }: IncomingRequest): string {
  const text = Buffer.from(body).subarray(0, 200).toString('latin1')
  return `${method} ${url} ${JSON.stringify(headers).slice(0, 500)} ${JSON.stringify(text)}`
}
