import { createHmac } from 'node:crypto'
import t, { type Test } from 'tap'

import { createRiverhook, type Source } from '../../src/index.ts'
import { hmacSource } from '../../src/sources.ts'
import { toWebHandler } from '../../src/web.ts'
import { courier } from '../source/courier.ts'
import { startReceiver, type LogLine } from './receiver.ts'

const secrets = 'courier-0123456789abcdef'
const url = '/webhooks/courier'

interface Sent {
  readonly method?: string
  readonly query?: string
  readonly body?: string
  readonly headers?: Record<string, string>
}

interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

interface Rig {
  readonly send: (request: Sent) => Promise<Answered>
  readonly inbox: Awaited<ReturnType<typeof startReceiver>>['app']['riverhook']['inbox']
  readonly lines: readonly LogLine[]
}

/** A receiver of this source, behind each adapter. */
async function rigs(t: Test, source: Source, options: object = {}): Promise<readonly Rig[]> {
  const { app, lines } = await startReceiver(t, { source, secrets, ...options })
  await app.ready()
  const logged: LogLine[] = []
  const write = (keys: object, msg: string): void => {
    logged.push({ ...keys, msg })
  }
  const log = { trace: write, debug: write, info: write, warn: write, error: write, fatal: write, child: () => log }
  const web = createRiverhook({ inbox: 'memory:', source, secrets, log: log as never, ...options })
  await web.start()
  t.teardown(() => web.stop())
  const handle = toWebHandler(web)
  return [
    {
      inbox: app.riverhook.inbox,
      lines,
      async send({ method = 'POST', query = '', body, headers = {} }) {
        const answer = await app.inject({
          method: method as 'POST',
          url: url + query,
          ...(body === undefined ? {} : { payload: body }),
          headers
        })
        const given = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as [string, string])
        return { status: answer.statusCode, headers: new Headers(given), body: answer.body }
      }
    },
    {
      inbox: web.inbox,
      lines: logged,
      async send({ method = 'POST', query = '', body, headers = {} }) {
        const request = new Request(`http://shop.example${url}${query}`, { method, body: body ?? null, headers })
        const answer = await handle(request)
        return { status: answer.status, headers: answer.headers, body: await answer.text() }
      }
    }
  ]
}

function signed(body: string, id: string, type: string, secret = secrets): Record<string, string> {
  return {
    'content-type': 'application/json',
    ...courier().sign({ body: Buffer.from(body), secret, at: new Date(), id, type })
  }
}

t.test('a handshake is answered before any check, and not recorded; any other GET is no event', async (t) => {
  for (const { send, inbox } of await rigs(t, courier())) {
    const greeted = await send({ method: 'GET', query: '?challenge=abc' })
    t.equal(greeted.status, 200)
    t.equal(greeted.body, createHmac('sha256', secrets).update('abc').digest('hex'), 'it has the secret')
    t.match(greeted.headers.get('content-type'), 'text/plain')
    t.equal(greeted.headers.get('x-content-type-options'), 'nosniff', 'text of an unknown sender is never sent as HTML')
    const other = await send({ method: 'GET' })
    t.same([other.status, other.headers.get('allow')], [405, 'POST'])
    t.not((await send({ method: 'PUT', body: '{}' })).status, 200, 'a method that the source does not declare')
    t.match(await inbox.stats(), { events: 0, quarantined: 0 })
  }
})

t.test(
  "a batch is recorded part by part and answered in the source's own way; a repeat is all duplicates",
  async (t) => {
    const body = JSON.stringify([{ parcel: 'a' }, { parcel: 'b' }])
    for (const { send, inbox } of await rigs(t, courier())) {
      const request = { body, headers: signed(body, 'p1, p2', 'parcel/sent, parcel/delivered') }
      const first = await send(request)
      t.same([first.status, first.body], [200, 'p1 accepted\np2 accepted'])
      t.same((await send(request)).body, 'p1 duplicate\np2 duplicate')
      const { events } = await inbox.events({ limit: 10, oldestFirst: true })
      t.same(
        events.map(({ id, type, duplicates }) => [id, type, duplicates]),
        [
          ['p1', 'parcel/sent', 1],
          ['p2', 'parcel/delivered', 1]
        ]
      )
      const ping = { body: '{}', headers: signed('{}', 'none', 'ping') }
      t.same(JSON.parse((await send(ping)).body), { pong: secrets.length }, 'a request without events is only answered')
      t.match(await inbox.stats(), { events: 2, quarantined: 0 })
      t.equal((await send({ ...ping, headers: signed('{}', 'none', 'ping', 'another') })).status, 401)
    }
  }
)

t.test('one refused part refuses the request: the part is quarantined, the others are recorded', async (t) => {
  const body = JSON.stringify([{ parcel: 'a' }, 7, { parcel: 'c' }])
  for (const { send, inbox, lines } of await rigs(t, courier())) {
    const request = { body, headers: signed(body, 'p1, p2, p3', 'parcel/sent, parcel/sent, parcel/sent') }
    for (const _retry of [1, 2]) {
      const answer = await send(request)
      t.equal(answer.status, 400)
      t.match(JSON.parse(answer.body), {
        code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE',
        message: 'Event 2 of 3: The body must be a JSON object'
      })
    }
    t.match(lines.at(-1)?.['reason'], /^Event 2 of 3: .*; kept as quarantine_/)
    t.match(await inbox.stats(), { events: 2, quarantined: 1, duplicates: 3 })
    const { events } = await inbox.events({ limit: 10, state: 'quarantined' })
    t.equal(events.length, 1)
  }
})

t.test('a batch larger than one transaction may be is quarantined as a whole', async (t) => {
  const count = 1_001
  const body = JSON.stringify(Array.from({ length: count }, () => ({ parcel: 'a' })))
  const list = (text: string): string => Array.from({ length: count }, () => text).join(',')
  for (const { send, inbox } of await rigs(t, courier(), { bodyLimit: 1_048_576 })) {
    const answer = await send({ body, headers: signed(body, list('p'), list('t')) })
    t.equal(answer.status, 400)
    t.match(answer.body, /The request holds 1001 events; one request may hold 1000/)
    t.match(await inbox.stats(), { events: 0, quarantined: 1 })
  }
})

t.test('media types of the source are accepted in addition to JSON, and others are answered 415', async (t) => {
  const body = '{"parcel":"a"}'
  for (const { send } of await rigs(t, courier())) {
    const headers = signed(body, 'p1', 'parcel/sent')
    for (const type of ['application/x-courier', 'Application/X-Courier; charset=utf-8'])
      t.equal((await send({ body, headers: { ...headers, 'content-type': type } })).status, 200, type)
    for (const type of ['text/plain', 'application/x-courier2']) {
      const answer = await send({ body, headers: { ...headers, 'content-type': type } })
      t.equal(answer.status, 415)
      t.match(answer.body, /must be application\/json or application\/x-courier; it is /)
    }
  }
})

// Risk: an event that was answered 200 and not stored, because of a mistake in a merchant's source.
t.test('a source whose split, greet or answer is wrong is answered 500, with the method in the log', async (t) => {
  const later = () => Promise.reject(new Error('later'))
  const thrown = (): never => {
    throw new Error('a bug')
  }
  const wrong: readonly [Partial<Record<keyof Source, unknown>>, RegExp, number][] = [
    [{ split: later }, /^split\(\) of the source courier must return a list of requests/, 0],
    [{ split: () => [{ body: '{}', headers: {} }] }, /^split\(\) of .* number 1 of the list is not a request/, 0],
    [{ split: thrown }, /a bug/, 0],
    ...[null, 5, [5]].map((value): (typeof wrong)[number] => [
      { split: () => [{ body: Buffer.from('{}'), headers: { 'content-type': value } }] },
      /^split\(\) of .* number 1 of the list is not a request/,
      0
    ]),
    [{ greet: later }, /^greet\(\) of the source courier must return an answer/, 0],
    [{ greet: () => ({ status: 500 }) }, /^greet\(\) of .*"status" must be a whole number from 200 to 499/, 0],
    [{ greet: thrown }, /a bug/, 0],
    [{ greet: () => ({ status: 200, body: 'x'.repeat(65_537) }) }, /longer than 65536 bytes/, 0],
    [{ greet: () => ({ status: 200, headers: { 'x-a': 'b\r\nc: d' } }) }, /the header "x-a" cannot be sent/, 0],
    [{ greet: () => ({ status: 200, headers: { 'content-length': '1' } }) }, /"content-length" cannot be sent/, 0],
    [{ answer: () => ({ status: 404 }) }, /^answer\(\) of .*"status" must be a whole number from 200 to 299/, 1],
    [{ answer: () => undefined }, /^answer\(\) of .*an object with a "status"/, 1],
    [{ answer: thrown }, /a bug/, 1]
  ]
  const body = '{"parcel":"a"}'
  for (const [change, reason, stored] of wrong) {
    const [rig] = await rigs(t, { ...courier(), ...change } as unknown as Source)
    const { status } = await rig!.send({ body, headers: signed(body, 'p1', 'parcel/sent') })
    t.equal(status, 500, String(reason))
    t.match(rig!.lines.at(-1)?.['reason'], reason)
    t.equal((await rig!.inbox.stats()).events, stored)
  }
})

// Lost otherwise: the whole process, with the first event, by an "async" too many in the merchant's source.
t.test('a function of a source that is async and rejects is a refused event, and ends no process', async (t) => {
  const later = () => Promise.reject(new Error('later'))
  const described = { name: 'courier', header: 'X-Signature', id: 'digest', type: () => 'parcel/sent' } as const
  const places = { id: later, type: later, createdTime: later, event: later }
  const cases: (readonly [Source, RegExp])[] = Object.entries(places).map(([name, place]) => [
    hmacSource({ ...described, [name]: place } as never),
    new RegExp(`The function "${name}" of the source returned a promise: it must not be async`)
  ])
  cases.push([
    { ...hmacSource(described), read: () => ({ ok: true, event: later() as never }) },
    /The Event's field "id" must be a text/
  ])
  for (const [source, reason] of cases)
    for (const rig of await rigs(t, source)) {
      const body = '{}'
      const headers = source.sign!({ body: Buffer.from(body), secret: secrets, at: new Date() })
      const { status } = await rig.send({ body, headers: { 'content-type': 'application/json', ...headers } })
      t.equal(status, 400)
      t.match(rig.lines.at(-1)?.['reason'], reason)
      t.equal((await rig.inbox.stats()).quarantined, 1, 'it is kept, quarantined')
    }
})
