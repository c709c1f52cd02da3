import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'

import { decideOnUnreadable } from '../../src/deliver/outcomes.ts'
import { digitalRiver, errorText, loggedError, PermanentError, type SourceRequest } from '../../src/index.ts'
import { stackOf } from '../../src/model/error-text.ts'
import { event, listen, post, startReceiver } from '../receive/receiver.ts'

// Risk: an e-mail address in the error of a handler is stored for good, logged, and sent to dashboards.

const email = 'ada.lovelace@x.example'
const phone = '+44 20 7946 0000'
const nickname = 'countess'

t.test('the error of a handler is stored and logged without the personal data of its event', async (t) => {
  const { promise: isDead, resolve } = Promise.withResolvers<unknown>()
  const receiver = await startReceiver(t, {
    redact: ['data.object.metadata.nickname'],
    onDead: (_event, { error }) => {
      resolve(error)
    }
  })
  receiver.app.riverhook.on('order.*', { name: 'erp' }, () => {
    const cause = new Error(`no phone ${phone}${'.'.repeat(1_980)}${email}`)
    throw new PermanentError(`ERP has no ${email.toUpperCase()} (${nickname}), order o-4711`, { cause })
  })
  const { app, lines, url } = await listen(receiver)
  const settled: unknown[] = []
  const listener = (message: unknown): void => void settled.push(message)
  subscribe('riverhook:settled', listener)
  t.teardown(() => unsubscribe('riverhook:settled', listener))
  const object = { id: 'o-4711', email, shipTo: { phone }, metadata: { nickname } }
  t.equal((await post(url, event({ id: 'e1', data: { object } }))).status, 202)
  t.match(await isDead, { message: /ADA\.LOVELACE/ }, 'the code of the user gets the whole error')
  await setImmediate()
  const detail = await app.riverhook.inbox.event({ realm: 'digital-river', id: 'e1' })
  t.match(detail?.deliveries, [
    { state: 'dead', lastError: /ERP has no •••• \(••••\), order o-4711; caused by Error: no phone ••••/ }
  ])
  t.equal(settled.length, 1)
  const seen = JSON.stringify([detail?.deliveries, lines, settled]).toLowerCase()
  for (const value of [email, phone, nickname, 'ada.']) t.notOk(seen.includes(value), value)
})

t.test('the error of a source that cannot read an event any more is stored without personal data', async (t) => {
  const redact = (text: string): string => text.replaceAll(email, '••••')
  t.match(decideOnUnreadable(new Error(`no address: ${email}`), redact), {
    outcome: { state: 'dead', error: /no address: ••••; caused by Error: no address: ••••$/ }
  })
})

t.test(
  'an error of orderBy is logged without the values of the event; one of a source, without personal data',
  async (t) => {
    const own = digitalRiver()
    const source = {
      ...own,
      read: (request: SourceRequest) => {
        if (Buffer.from(request.body).includes('broken')) throw new Error(`cannot read ${request.body.toString()}`)
        return own.read(request)
      }
    }
    const reasons: unknown[] = []
    const receiver = await startReceiver(t, { source, onRejected: ({ reason }) => reasons.push(reason) })
    const orderBy = ({ data }: { readonly data: unknown }): string => {
      const { email: to, note } = (data as { object: { email: string; note: string } }).object
      throw Object.assign(new Error(`no line for ${to} (${note})`), { name: `NoLine ${to}`, code: to })
    }
    receiver.app.riverhook.on('order.*', { name: 'line', orderBy }, () => undefined)
    const { lines, url } = await listen(receiver)
    const note = 'ring twice'
    t.equal((await post(url, event({ data: { object: { id: 'o1', email, note } } }))).status, 202)
    t.equal(
      (await post(url, event({ data: { object: { id: 'broken', email, shipTo: { name: 'Ada Lovelace' } } } }))).status,
      500
    )
    const seen = JSON.stringify([lines, reasons])
    t.match(seen, /no line for •••• \(••••\)/)
    t.match(seen, /cannot read /)
    t.notMatch(seen, /ring twice|x\.example|Ada Lovelace/i)
  }
)

t.test('no property of an error is logged or stored without its personal data', async (t) => {
  const hide = (text: string): string => text.replaceAll(email, '••••')
  const error = Object.assign(new Error('bad\n    at ada.lovelace@x.example'), { name: `For ${email}`, code: email })
  error.stack = `Error: other\n    at ${email} (file.js:1:1)`
  t.notMatch(JSON.stringify([errorText(error, hide), loggedError(error, hide), stackOf(error, hide)]), /x\.example/)
  t.match(loggedError(error, hide), {
    name: 'For ••••',
    message: /^For •••• \[••••\]: bad/,
    stack: 'at •••• (file.js:1:1)'
  })
  const long = new Error(`${email} `.repeat(900))
  t.notMatch(errorText(long, hide), /ada/)
})
