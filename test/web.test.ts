import t from 'tap'

import { createRiverhook, memoryInbox } from '../src/index.ts'
import { toWebHandler } from '../src/web.ts'
import { event, secret, signatureHeaders } from './receive/receiver.ts'

const url = 'https://shop.example/hook?token=t'
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {}, child: () => silent }

function signed(body = event(), to = url): Request {
  const headers = { 'content-type': 'application/json', ...signatureHeaders(body) }
  return new Request(to, { method: 'POST', headers, body: Uint8Array.from(body) })
}

// Risk: an event that is not handled with some other server.
t.test(
  'a request without a server is recorded, answered and handled; other paths and methods are refused',
  async (t) => {
    const riverhook = createRiverhook({ path: '/hook', secrets: secret, inbox: 'memory:', log: silent as never })
    const handled = new Promise((resolve) => {
      riverhook.on('order.accepted', ({ id }) => {
        resolve(id)
      })
    })
    await riverhook.start()
    t.teardown(() => riverhook.stop())
    const handler = toWebHandler(riverhook)
    const answer = await handler(signed(event({ id: 'e1' })))
    t.equal(answer.status, 202)
    t.same(await answer.json(), { id: 'e1', status: 'accepted' })
    t.equal(await handled, 'e1')
    const elsewhere = await handler(signed(event(), 'https://shop.example/hook/more'))
    t.equal(elsewhere.status, 404)
    t.match(await elsewhere.json(), { code: 'RIVERHOOK_RECEIVE_NOT_FOUND' })
    const get = await handler(new Request(url))
    t.equal(get.status, 405)
    t.equal(get.headers.get('allow'), 'POST')
    const read = signed()
    await read.text()
    await t.rejects(handler(read), { message: /was read before it reached Riverhook/ })
  }
)

t.test('start and stop run once, even if called again; nothing is recorded after the end', async (t) => {
  const inbox = memoryInbox()
  const riverhook = createRiverhook({ path: '/hook', secrets: secret, inbox, log: silent as never })
  await Promise.all([riverhook.start(), riverhook.start()])
  t.same(await riverhook.health(), { ready: true, reasons: [] })
  await Promise.all([riverhook.stop(), riverhook.stop()])
  t.equal((await toWebHandler(riverhook)(signed())).status, 503)
  await t.rejects(riverhook.start(), { message: /stopped/ })
})

t.test('two receivers of one process on one inbox: refused, and free again after the end', async (t) => {
  const inbox = memoryInbox()
  const options = { secrets: secret, log: silent as never }
  const first = createRiverhook({ ...options, inbox })
  await first.start()
  const second = createRiverhook({ ...options, inbox })
  await t.rejects(second.start(), { code: 'RIVERHOOK_INBOX_IN_USE', message: /one plugin with several endpoints/ })
  await second.stop()
  t.same(await first.health(), { ready: true, reasons: [] }, 'the first one continues')
  await first.stop()
  const third = createRiverhook({ ...options, inbox: memoryInbox() })
  await third.start()
  await third.stop()
})

t.test('a body that is a stream, and one that ends early', async (t) => {
  const riverhook = createRiverhook({ path: '/hook', secrets: secret, inbox: 'memory:', log: silent as never })
  await riverhook.start()
  t.teardown(() => riverhook.stop())
  const handler = toWebHandler(riverhook)
  const body = event()
  const streamed = (end: (controller: ReadableStreamDefaultController<Uint8Array>) => void): Request =>
    new Request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signatureHeaders(body) },
      duplex: 'half',
      body: new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(Uint8Array.from(body.subarray(0, 20)))
          end(controller)
        }
      })
    })
  const whole = await handler(
    streamed((controller) => {
      controller.enqueue(Uint8Array.from(body.subarray(20)))
      controller.close()
    })
  )
  t.equal(whole.status, 202)
  const broken = await handler(
    streamed((controller) => {
      controller.error(new Error('gone'))
    })
  )
  t.equal(broken.status, 400)
  t.match(await broken.json(), { code: 'RIVERHOOK_RECEIVE_BAD_REQUEST' })
})
