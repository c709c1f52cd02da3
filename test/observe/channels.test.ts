import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import t from 'tap'

import { channels, PermanentError, type ChannelMessages } from '../../src/index.ts'
import { event, listen, post, signatureHeaders, startReceiver } from '../receive/receiver.ts'

// Risk: a subscriber that reports errors to another service, and gets none.
t.test('a request, its commit, its attempt with the error, and its mismatches are published', async (t) => {
  const seen: Partial<Record<keyof ChannelMessages, unknown[]>> = {}
  const settled = Promise.withResolvers<undefined>()
  for (const name of Object.keys(channels) as (keyof ChannelMessages)[]) {
    const note = (message: unknown): void => {
      ;(seen[name] ??= []).push(message)
      if (name === 'settled') settled.resolve(undefined)
    }
    subscribe(`riverhook:${name}`, note)
    t.teardown(() => unsubscribe(`riverhook:${name}`, note))
  }
  const receiver = await startReceiver(t)
  const error = new PermanentError('the ERP says no')
  receiver.app.riverhook.on('*', { name: 'erp' }, () => {
    throw error
  })
  const { url } = await listen(receiver)
  const body = event({ id: 'e1', type: 'brand.new' })
  t.equal((await post(url, body)).status, 202)
  t.equal((await post(url, body)).status, 202)
  t.equal((await post(url, body, signatureHeaders(body, 'whk_other'))).status, 401)
  await settled.promise
  t.match(seen.answered, [
    { result: 'accepted', code: undefined, status_code: 202, duration_ms: Number, skew_ms: Number },
    { result: 'duplicate', status_code: 202 },
    { result: 'refused', code: 'RIVERHOOK_RECEIVE_UNAUTHENTICATED', status_code: 401, skew_ms: undefined }
  ])
  t.match(seen.received, [{ result: 'accepted', age_ms: Number }, { result: 'duplicate' }])
  t.match(seen.committed, [{ arrivals: 1, duration_ms: Number }, { arrivals: 1 }])
  t.match(seen.settled, [{ handler: 'erp', state: 'dead', latency_ms: Number, error }])
  t.match(seen.drift, [
    { rule: 'unknown_type', is_new: true },
    { rule: 'unknown_type', is_new: false }
  ])
})
