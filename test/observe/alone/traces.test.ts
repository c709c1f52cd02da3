import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { pino } from 'pino'
import t, { type Test } from 'tap'

import { createRiverhook, openInbox, PermanentError, type RiverhookOptions } from '../../../src/index.ts'
import { createDigitalRiver } from '../../../src/testing/index.ts'
import { Tracer } from '../../../src/observe/traces/tracer.ts'
import { DriftLog } from '../../../src/payload/drift-log.ts'
import { RequestCounts } from '../../../src/receive/request-counts.ts'
import { gate, rig } from '../../deliver/rig.ts'
import { realm } from '../../event-keys.ts'
import { makeFolder } from '../../folder.ts'
import { event, listen, secret, signatureHeaders, startReceiver } from '../../receive/receiver.ts'
import { arrival } from '../../inbox/arrivals.ts'
import { log as silent } from '../log.ts'
import { inServerSpan, patient, startSdk, type SeenSpan } from '../traces/sdk.ts'

const spans = startSdk()

const activeId = (): string | undefined => trace.getSpan(context.active())?.spanContext().spanId

/** Counts the attempts that have ended. */
function settledCount(t: Test): (count: number) => Promise<void> {
  let settled = 0
  let wake = (): void => undefined
  const note = (): void => {
    settled += 1
    wake()
  }
  subscribe('riverhook:settled', note)
  // The timers of a receiver keep no process alive.
  const keepAlive = setInterval(() => undefined, 60_000)
  t.teardown(() => {
    clearInterval(keepAlive)
    unsubscribe('riverhook:settled', note)
  })
  return async (count) => {
    while (settled < count) {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      wake = () => {
        resolve(undefined)
      }
      await promise
    }
  }
}

interface Line {
  readonly msg: string
  readonly trace_id?: string
  readonly span_id?: string
}

function createOne(t: Test, options: RiverhookOptions = {}) {
  const lines: Line[] = []
  const write = (line: string): void => {
    lines.push(JSON.parse(line) as Line)
  }
  const path = options.path ?? `/${t.name.replace(/\W+/g, '-')}`
  const inbox = typeof options.inbox === 'object' ? options.inbox : openInbox('memory:')
  const riverhook = createRiverhook({
    path,
    secrets: secret,
    log: pino({ level: 'debug' }, { write }),
    retry: { base: '1ms', cap: '1ms' },
    ...options,
    inbox
  })
  t.teardown(() => riverhook.stop())
  const send = async (body: Uint8Array, headers: Record<string, string> = {}): Promise<number> => {
    const signed = Object.entries(signatureHeaders(body)).map(([name, value]) => [name.toLowerCase(), value])
    const { status } = await riverhook.receive({
      method: 'POST',
      url: path,
      headers: { 'content-type': 'application/json', ...Object.fromEntries(signed), ...headers },
      body,
      ...patient
    })
    return status
  }
  const sends = () => spans().filter(({ name }) => name === `send ${path}`)
  return { riverhook, inbox, send, sends, lines, path, settled: settledCount(t) }
}

const named = (name: string): SeenSpan[] => spans().filter((span) => span.name === name)
const toLink = (span: SeenSpan | undefined) => ({ trace: span?.trace, id: span?.id })

// Risk: a batch of requests whose events all appear in the trace of the first; database spans of everyone's events in
// one customer's trace.
for (const address of ['memory:', 'sqlite:'])
  t.test(`requests in one commit keep their traces, ${address}`, async (t) => {
    const inbox = openInbox(address === 'memory:' ? address : `sqlite:${join(makeFolder(t), 'inbox.db')}`)
    const one = createOne(t, { inbox })
    const outside: (string | undefined)[] = []
    for (const method of ['record', 'recordAndClaim', 'claim', 'settle', 'countRequests'] as const) {
      const call = inbox[method]?.bind(inbox) as ((...args: unknown[]) => unknown) | undefined
      if (call !== undefined)
        Object.assign(inbox, {
          [method]: (...args: unknown[]) => {
            outside.push(activeId())
            return call(...args)
          }
        })
    }
    const inside = new Map<string, (string | undefined)[]>()
    one.riverhook.on('order.accepted', { name: `a ${address}` }, async ({ id }) => {
      inside.set(id, [activeId()])
      await delay(1)
      inside.get(id)?.push(activeId())
    })
    one.riverhook.on('order.accepted', { name: `b ${address}` }, () => undefined)
    // Not the start either: its span would be the parent of everything.
    await inServerSpan('boot', () => one.riverhook.start())
    const ids = ['e1', 'e2', 'e3']
    await Promise.all(ids.map((id) => inServerSpan(`POST ${address} ${id}`, () => one.send(event({ id })))))
    await one.settled(6)
    t.equal(one.sends().length, 3)
    for (const id of ids) {
      const [host] = named(`POST ${address} ${id}`)
      const sent = one.sends().find(({ attributes }) => attributes['messaging.message.id'] === id)
      t.match(sent, { trace: host?.trace, parent: host?.id, attributes: { 'riverhook.commit.arrivals': 3 } })
      for (const name of ['a', 'b']) {
        const found = named(`process ${name} ${address}`).filter(
          ({ attributes }) => attributes['messaging.message.id'] === id
        )
        t.match(found, [{ trace: host?.trace, parent: sent?.id, links: [toLink(sent)] }])
        t.equal(found.length, 1)
        if (name === 'a') t.same(inside.get(id), [found[0]?.id, found[0]?.id], 'also after an await')
      }
    }
    await one.riverhook.stop()
    t.ok(outside.length > 3)
    t.same([...new Set(outside)], [undefined], 'the inbox is called in no span')
    t.equal(activeId(), undefined)
  })

// Risk: traces that end at the HTTP server, because the context is lost while the body is read.
t.test('with Fastify, the span of the host is the parent, and says how the request was answered', async (t) => {
  const receiver = await startReceiver(t, {}, (app) => {
    app.addHook('onRequest', (_request, reply, done) => {
      const span = trace.getTracer('host').startSpan('POST fastify', { kind: SpanKind.SERVER, root: true })
      reply.raw.on('close', () => {
        span.end()
      })
      context.with(trace.setSpan(ROOT_CONTEXT, span), done)
    })
  })
  receiver.app.riverhook.on('order.accepted', { name: 'mounted' }, () => undefined)
  const settled = settledCount(t)
  const { url, lines } = await listen(receiver)
  const post = async (body: Buffer, by?: string): Promise<number> => {
    const { promise, resolve } = Promise.withResolvers<number>()
    const headers = { 'content-type': 'application/json', ...signatureHeaders(body, by) }
    const sent = request(url, { method: 'POST', headers }, (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode ?? 0)
      })
    })
    // In two parts, so that reading waits.
    sent.write(body.subarray(0, 10))
    await delay(5)
    sent.end(body.subarray(10))
    return promise
  }
  t.equal(await post(event({ id: 'f1' })), 202)
  t.equal(await post(event({ id: 'f2' }), 'whk_other'), 401)
  await settled(1)
  await receiver.app.close()
  const [host, refused] = named('POST fastify')
  const [sent] = named('send /webhooks/digital-river')
  t.match(host?.attributes, { 'riverhook.endpoint': '/webhooks/digital-river', 'riverhook.result': 'accepted' })
  t.match(refused?.attributes, {
    'riverhook.result': 'refused',
    'riverhook.code': 'RIVERHOOK_RECEIVE_UNAUTHENTICATED'
  })
  t.match(sent, { trace: host?.trace, parent: host?.id, kind: 'PRODUCER' })
  t.match(named('process mounted'), [{ trace: host?.trace, parent: sent?.id }])
  const ids = (msg: string) => lines.filter((line) => line.msg === msg).map((line) => line['trace_id'])
  t.same(ids('event accepted'), [host?.trace])
  t.same(ids('request refused'), [refused?.trace])
  t.equal(named('send /webhooks/digital-river').length, 1, 'nothing was sent for the refused request')
})

// Risk: a sender that chooses the traces of the receiver, or switches their sampling off.
t.test('the trace of the sender is linked, and continued only if that is configured', async (t) => {
  const incoming = { trace: '4bf92f3577b34da6a3ce929d0e0e4736', id: '00f067aa0ba902b7' }
  const headers = { traceparent: `00-${incoming.trace}-${incoming.id}-00`, tracestate: 'shop=1' }
  const strict = createOne(t)
  await strict.riverhook.start()
  t.equal(await strict.send(event({ id: 't1' }), headers), 202)
  await inServerSpan('POST t2', () => strict.send(event({ id: 't2' }), headers))
  await strict.send(event({ id: 't3' }), { traceparent: `00-${incoming.trace}-0000000000000000-01` })
  // The host has continued the trace of the sender.
  const remote = { traceId: incoming.trace, spanId: incoming.id, traceFlags: 1, isRemote: true }
  await context.with(trace.setSpanContext(ROOT_CONTEXT, remote), () => strict.send(event({ id: 't4' }), headers))
  const [one, two, three, four] = strict.sends()
  t.match(one, { parent: undefined, links: [incoming] })
  t.not(one?.trace, incoming.trace)
  t.match(two, { parent: named('POST t2')[0]?.id, links: [incoming] })
  t.match(three, { parent: undefined })
  t.same(three?.links, [], 'an invalid header is no link')
  t.match(four, { trace: incoming.trace, parent: incoming.id })
  t.same(four?.links, [])
  await strict.riverhook.stop()

  const trusting = createOne(t, { trace: { trustIncoming: true }, path: '/trusting' })
  await trusting.riverhook.start()
  const sampled = { ...headers, traceparent: `00-${incoming.trace}-${incoming.id}-01` }
  await trusting.send(event({ id: 't5' }), sampled)
  await inServerSpan('POST t6', () => trusting.send(event({ id: 't6' }), sampled))
  const [five, six] = trusting.sends()
  t.match(five, { trace: incoming.trace, parent: incoming.id })
  t.match(six, { parent: named('POST t6')[0]?.id, links: [incoming] })
  const stored = await trusting.inbox.event({ realm, id: 't5' })
  t.equal(stored?.trace, `00-${incoming.trace}-${five?.id ?? ''}-01 shop=1`, 'with its tracestate')
})

// Risk: a request whose trace lasts for days, because its first attempt had to wait.
t.test('a first attempt that begins late is a root', async (t) => {
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const inbox = openInbox('memory:')
  await inbox.open()
  const arrive = (id: string, ms: number) =>
    arrival(id, ['waited'], { trace, body: event({ id }), receivedAt: new Date(Date.now() - ms) })
  await inbox.record([arrive('late', 61_000), arrive('soon', 50_000)])
  const one = createOne(t, { inbox })
  one.riverhook.on('order.accepted', { name: 'waited' }, () => undefined)
  await one.riverhook.start()
  await one.settled(2)
  const found = (id: string) =>
    named('process waited').find(({ attributes }) => attributes['messaging.message.id'] === id)
  const links = [{ trace: '0af7651916cd43dd8448eb211c80319c', id: 'b7ad6b7169203331' }]
  t.match(found('late'), { parent: undefined, links })
  t.match(found('soon'), { parent: 'b7ad6b7169203331', links })
})

// Risk: counts of all endpoints in the trace of the request that started the timer.
t.test('counts that are stored later belong to no request', async (t) => {
  const active: (string | undefined)[] = []
  const [counted, flagged] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
  const inbox = {
    countRequests: () => {
      active.push(activeId())
      counted.resolve(undefined)
      return Promise.resolve()
    },
    flag: () => {
      active.push(activeId())
      flagged.resolve(undefined)
      return Promise.resolve([])
    },
    drifts: () => Promise.resolve([])
  }
  const counts = new RequestCounts({ inbox, log: silent, everyMs: 1 })
  const drift = new DriftLog({ inbox, log: silent, everyMs: 1 })
  const mismatch = { path: 'data', rule: 'type', handler: '' } as const
  await inServerSpan('POST counts', async () => {
    counts.count('/hook', 'answered')
    drift.count({ id: 'e1', type: 'order.accepted' }, { realm, path: '/hook' }, [mismatch])
    await Promise.all([counted.promise, flagged.promise])
  })
  t.same(active, [undefined, undefined])
  await counts.end()
  await drift.end()
})

// Risk: a replay of 10,000 deliveries that cannot be connected with the one who asked for it.
t.test('the attempts of a replay are roots, linked to the request and to what asked for the replay', async (t) => {
  const one = createOne(t)
  let isFixed = false
  one.riverhook.on('order.accepted', { name: 'replayed' }, () => {
    if (!isFixed) throw new PermanentError('no')
  })
  await one.riverhook.start()
  await one.send(event({ id: 'r1' }))
  await one.settled(1)
  isFixed = true
  await inServerSpan('POST replays', () => one.riverhook.replay({ id: 'r1' }))
  await one.settled(2)
  const [sent] = one.sends()
  const [first, again] = named('process replayed')
  t.match(first, { parent: sent?.id, error: 'PermanentError: no', attributes: { 'riverhook.outcome': 'dead' } })
  t.equal(again?.parent, undefined)
  t.same(again?.links, [toLink(sent), toLink(named('POST replays')[0])])
  t.equal(again?.attributes['riverhook.outcome'], 'done')
})

// Risk: personal data in a tracing service, which keeps it for months.
t.test('no span has a value of the payload', async (t) => {
  const canary = 'canary@shop.example'
  const one = createOne(t)
  one.riverhook.on('order.accepted', { name: 'leaky', orderBy: () => canary }, () => {
    throw Object.assign(new PermanentError(`cannot mail ${canary}`), { name: `To ${canary}` })
  })
  await one.riverhook.start()
  await one.send(event({ id: 'c1', data: { object: { id: 'o1', email: canary } } }))
  await one.settled(1)
  const [failed] = named('process leaky')
  t.match(failed, { error: /cannot mail/, attributes: { 'error.type': '_OTHER' } })
  t.match(failed?.attributes['riverhook.order_key.hash'], /^[\da-f]{16}$/)
  t.same(
    spans().filter((span) => /canary/.test(JSON.stringify(span))),
    []
  )
})

// Risk: an event that was not stored, in a span that says nothing went wrong.
t.test('a send span says what became of the event', async (t) => {
  const inbox = openInbox('memory:')
  const one = createOne(t, { inbox })
  await one.riverhook.start()
  const body = event({ id: 's1' })
  t.equal(await one.send(body), 202)
  t.equal(await one.send(body), 202)
  t.equal(await one.send(Buffer.from('{}')), 400)
  inbox.record = () => Promise.reject(new Error('the disk is full'))
  t.equal(await one.send(event({ id: 's2' })), 503)
  t.match(
    one.sends().map(({ attributes, error }) => [attributes['riverhook.result'], attributes['error.type'], error]),
    [
      ['accepted', undefined, undefined],
      ['duplicate', undefined, undefined],
      ['quarantined', undefined, undefined],
      [undefined, 'RIVERHOOK_INBOX_UNAVAILABLE', 'RIVERHOOK_INBOX_UNAVAILABLE']
    ]
  )
})

// Risk: attempts that end without a handler's answer, and are never exported.
t.test('an attempt that is handed back or runs too long has a span, too', async (t) => {
  const one = createOne(t, { grace: 0 })
  one.riverhook.on('order.accepted', { name: 'late', timeout: 20, retry: { attempts: 1 } }, () =>
    delay(60_000, undefined, { ref: false })
  )
  const begun = Promise.withResolvers<undefined>()
  one.riverhook.on('order.blocked', { name: 'unfinished' }, (_event, { signal }) => {
    begun.resolve(undefined)
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(new Error('stopped'))
      })
    })
  })
  await one.riverhook.start()
  await one.send(event({ id: 'l1' }))
  await one.settled(1)
  await one.send(event({ id: 'l2', type: 'order.blocked' }))
  await begun.promise
  await one.riverhook.stop()
  t.match(named('process late'), [
    { attributes: { 'error.type': 'RIVERHOOK_DELIVER_TIMEOUT' }, error: /did not finish/ }
  ])
  t.match(named('process unfinished'), [{ attributes: { 'riverhook.outcome': 'released' }, error: undefined }])
})

// Risk: an attempt that another process repeats, and that looks as if it had succeeded.
t.test('an attempt that loses its lease says so, whatever its handler does later', async (t) => {
  const r = await rig(t)
  const [started, held, aborted] = [gate(), gate(), gate()]
  r.handlers.on('order.accepted', { name: 'zombie' }, async (_event, { signal }) => {
    signal.addEventListener('abort', () => {
      aborted.resolve()
    })
    started.resolve()
    await held.promise
  })
  const tracing = new Tracer({ version: '1', trustIncoming: false, key: undefined })
  const dispatcher = await r.start({ leaseMs: 30, tracing })
  await r.record('z1')
  await started.promise
  r.advance(31)
  const wants = [{ handler: 'zombie', source: 'digital-river', limit: 1 }]
  await r.inbox.claim({ owner: 'another process', leaseMs: 3_600_000, wants, limit: 1 })
  await aborted.promise
  held.resolve()
  await dispatcher.stop({ graceMs: 1_000 })
  const attributes = { 'riverhook.outcome': 'lease_lost', 'error.type': 'RIVERHOOK_DELIVER_LEASE_LOST' }
  t.match(named('process zombie'), [{ attributes, error: /lease of this delivery was lost/ }])
})

// Risk: a check of the registration that fails for days, in no trace.
t.test('checks of the registration and backfills are roots', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const { url: apiUrl, apiKey } = river
  const receiver = await startReceiver(t, {
    register: { address: 'https://shop.example/hook', apiUrl, apiKey, every: '50ms' },
    backfill: { every: '1h' }
  })
  receiver.app.riverhook.on('order.accepted', { name: 'recovered' }, () => undefined)
  const checked = Promise.withResolvers<unknown>()
  const backfilled = Promise.withResolvers<unknown>()
  subscribe('riverhook:registration', checked.resolve)
  subscribe('riverhook:backfilled', backfilled.resolve)
  const settled = settledCount(t)
  const { app } = await inServerSpan('start', () => listen(receiver))
  await Promise.all([checked.promise, backfilled.promise])
  river.list('order.accepted')
  await inServerSpan('POST backfills', () => app.riverhook.backfill({ since: new Date(Date.now() - 3_600_000) }))
  await settled(1)
  await app.close()
  const endpoint = '/webhooks/digital-river'
  const [check] = named('registration check')
  t.match(check, { kind: 'INTERNAL', parent: undefined, attributes: { 'riverhook.endpoint': endpoint } })
  t.same(check?.links, [])
  const [own, asked] = named('backfill')
  t.match(own, { kind: 'INTERNAL', parent: undefined, links: [] })
  t.match(asked, { parent: undefined, links: [toLink(named('POST backfills')[0])] })
  const [attempt] = named('process recovered')
  t.match(attempt, { parent: undefined })
  t.same(attempt?.links, [], 'a backfilled event has no request')
})
