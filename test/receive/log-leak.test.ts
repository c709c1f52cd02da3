import { channel } from 'node:diagnostics_channel'
import t from 'tap'

import { defineHandler, errorText, loggedError } from '../../src/index.ts'
import { event, listen, post, secret, signatureHeaders, startReceiver } from './receiver.ts'

// Risk: the token of the vault, which an HTTP client keeps in its error, is in the log for everyone to read.

class VaultError extends Error {
  override readonly name = 'VaultError'
  readonly config = { headers: { 'x-vault-token': 'hvs.TOP_SECRET' } }
  readonly response = { data: { previous: 'whk_TOP_SECRET' } }
  constructor() {
    super('the vault is sealed')
    this.cause = Object.assign(new Error('status 503'), { request: 'hvs.TOP_SECRET' })
  }
}
const sealed = (): never => {
  throw new VaultError()
}

t.test('errors of user functions are logged as text, without their properties', async (t) => {
  const tells = { onRejected: sealed, onError: sealed, onDead: async () => sealed() }
  const secrets = await startReceiver(t, { ...tells, secrets: async () => sealed() })
  const bearer = await startReceiver(t, { ...tells, bearer: sealed })
  const handled = await startReceiver(t, tells)
  const orderBy = sealed
  const handler = defineHandler('order.accepted', { name: 'h', orderBy, retry: { attempts: 1 } }, sealed)
  handled.app.riverhook.on(handler.pattern, handler.options, handler.run)
  const settled = Promise.withResolvers<undefined>()
  const note = (): void => {
    settled.resolve(undefined)
  }
  channel('riverhook:settled').subscribe(note)
  t.teardown(() => {
    channel('riverhook:settled').unsubscribe(note)
  })
  const body = event()
  t.equal((await post((await listen(secrets)).url, body)).status, 500)
  t.equal((await post((await listen(bearer)).url, body, { authorization: 'Bearer x' })).status, 500)
  t.equal((await post((await listen(handled)).url, body)).status, 202)
  t.equal(
    (await post((await listen(await startReceiver(t, tells))).url, body, signatureHeaders(body, 'whk_other'))).status,
    401
  )
  await settled.promise
  await Promise.all([secrets, bearer, handled].map(({ app }) => app.close()))

  const lines = [secrets, bearer, handled].flatMap((receiver) => receiver.lines)
  const told = (pattern: RegExp): unknown => lines.find(({ msg }) => pattern.test(msg))
  for (const fault of [/secrets could not be read/, /internal error/, /onRejected failed/, /orderBy failed/]) {
    t.match(
      told(fault),
      {
        err: {
          type: 'VaultError',
          message: 'VaultError: the vault is sealed; caused by Error: status 503',
          stack: /log-leak/
        }
      },
      String(fault)
    )
  }
  for (const fault of [/onError failed/, /onDead failed/, /dead letter/])
    t.match(told(fault), { error: /vault is sealed/ }, String(fault))
  t.notMatch(JSON.stringify(lines), /TOP_SECRET/)
})

// Risk: a log in the operator's terminal that a sender of events can change. A host's logger writes values unescaped.
t.test("control characters of an event are escaped in a host's log, and unchanged in the event", async (t) => {
  const receiver = await startReceiver(t)
  const seen: string[] = []
  receiver.app.riverhook.on('*', { name: 'h', orderBy: sealed, retry: { attempts: 1 } }, ({ id }, { log }) => {
    seen.push(id)
    log.info('mine')
    return Promise.reject(new Error('no'))
  })
  const hostile = '\u001b[31m\u009b\u202e\u2028'
  const settled = Promise.withResolvers<unknown>()
  const note = (message: unknown): void => {
    settled.resolve(message)
  }
  channel('riverhook:settled').subscribe(note)
  t.teardown(() => {
    channel('riverhook:settled').unsubscribe(note)
  })
  t.equal((await post((await listen(receiver)).url, event({ id: hostile, type: hostile }))).status, 202)
  t.match(await settled.promise, { event_id: hostile, event_type: hostile })
  await receiver.app.close()
  t.same(seen, [hostile])
  const named = receiver.lines.filter((line) => 'event_id' in line)
  t.ok(
    ['event accepted', 'mine', 'dead letter', 'orderBy failed', 'unknown event type'].every((text) =>
      named.some(({ msg }) => msg.includes(text))
    )
  )
  const shown = '\\u001b[31m\\u009b\\u202e\\u2028'
  t.ok(named.every(({ event_id, event_type }) => event_id === shown && event_type === shown))
})

t.test('an unreadable value is logged too, and never throws', async (t) => {
  const hostile = Object.defineProperty(new Error('x'), 'message', { get: sealed })
  t.match(loggedError(hostile), { message: 'Something was thrown that cannot be described' })
  const named = Object.assign(new Error('x'), { name: '\u001b[31m\u202e' })
  t.match(loggedError(named), { name: '\\u001b[31m\\u202e', message: '\\u001b[31m\\u202e: x' })
  t.equal(errorText(undefined), 'A value that is no Error was thrown: undefined')
})

// Risk: one odd character of a sender, and the answer to an internal error is another internal error.
t.test('a body with half a surrogate pair changes neither the answer nor the log of an internal error', async (t) => {
  const failing = (): never => {
    throw new Error('the vault has no \ud800ada@example.com')
  }
  const receiver = await listen(await startReceiver(t, { secrets: secret, bearer: failing }))
  const body = Buffer.from(JSON.stringify({ note: '\ud800ada@example.com' }))
  const answer = await post(receiver.url, body, { authorization: 'Bearer x' })
  t.match(answer, { status: 500, body: { code: 'RIVERHOOK_RECEIVE_FAULT' } })
  const line = receiver.lines.find(({ msg }) => msg === 'internal error')
  t.match(line, { reason: /the vault has no .*••••/, err: { message: /the vault has no .*••••/ } })
  t.notMatch(JSON.stringify(receiver.lines), /example/)
})
