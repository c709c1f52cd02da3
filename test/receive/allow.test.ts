import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

import Fastify from 'fastify'
import t, { type Test } from 'tap'

import riverhook, { createRiverhook, digitalRiver, type RiverhookOptions } from '../../src/index.ts'
import { checkOptions } from '../../src/options/check-options.ts'
import { readConfig } from '../../src/options/environment.ts'
import { createServer } from '../../src/server/server.ts'
import { toWebHandler } from '../../src/web.ts'
import { event, listen, post, secret, signatureHeaders, startReceiver } from './receiver.ts'

// Risk: a stranger who may try, or a provider who is refused because its address was judged by another rule.

const own = '54.204.214.106'
const stranger = '192.0.2.1'
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {}, child: () => silent }

t.test('a stranger is refused by the peer of the connection, whatever it writes into a header', async (t) => {
  const refused: unknown[] = []
  const receiver = await listen(
    await startReceiver(t, { allow: 'digital-river', onRejected: (rejection) => refused.push(rejection) })
  )
  const answer = await post(receiver.url, event(), { 'x-forwarded-for': own })
  t.match(answer, { status: 403, body: { code: 'RIVERHOOK_RECEIVE_ADDRESS', message: /may not send here/ } })
  const reason = /the address 127\.0\.0\.1 is not in "allow".*"trustProxy"/
  t.match(receiver.lines.at(-1), { msg: 'request refused', code: 'RIVERHOOK_RECEIVE_ADDRESS', reason })
  t.match(refused, [{ statusCode: 403, endpoint: '/webhooks/digital-river', reason }])
  const { app } = receiver
  await app.close()
  const listed = await listen(await startReceiver(t, { allow: ['10.0.0.0/8', '127.0.0.1'] }))
  t.equal((await post(listed.url, event())).status, 202)
})

t.test('the answer comes before the body, which is not awaited', async (t) => {
  const receiver = await listen(await startReceiver(t, { allow: '192.0.2.0/24' }))
  const { port, pathname } = new URL(receiver.url)
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    `POST ${pathname} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`
  )
  t.match(await text(socket), /^HTTP\/1\.1 403 /)
})

/** A host that trusts a proxy on this machine. */
async function behindProxy(t: Test, options: RiverhookOptions): Promise<string> {
  const app = Fastify({ trustProxy: '127.0.0.1' })
  await app.register(riverhook, { inbox: 'memory:', secrets: secret, ...options })
  t.teardown(() => app.close())
  return `${await app.listen({ port: 0, host: '127.0.0.1' })}/webhooks/digital-river`
}

t.test('behind a trusted proxy, the address that Fastify finds is judged', async (t) => {
  const url = await behindProxy(t, { allow: ['digital-river', '2001:db8::/32'] })
  const cases: [string | undefined, number][] = [
    [own, 202],
    [`::ffff:${own}`, 202],
    ['2001:db8::7', 202],
    [`${stranger}, ${own}`, 202],
    [`${own}, ${stranger}`, 403],
    [stranger, 403],
    ['garbage', 403],
    [undefined, 403]
  ]
  for (const [forwarded, status] of cases)
    t.equal((await post(url, event(), { 'x-forwarded-for': forwarded })).status, status, String(forwarded))
})

t.test('riverhook serve trusts the proxies of RIVERHOOK_TRUST_PROXY, and no other', async (t) => {
  const statusWith = async (trusted: Record<string, string>): Promise<number> => {
    const app = await createServer(
      readConfig({
        RIVERHOOK_SECRETS: secret,
        RIVERHOOK_INBOX: 'memory:',
        RIVERHOOK_LOG_LEVEL: 'silent',
        RIVERHOOK_ALLOW: 'digital-river, 203.0.113.7',
        ...trusted
      })
    )
    t.teardown(() => app.close())
    const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/webhooks/digital-river`
    return (await post(url, event(), { 'x-forwarded-for': '203.0.113.7' })).status
  }
  t.equal(await statusWith({}), 403)
  t.equal(await statusWith({ RIVERHOOK_TRUST_PROXY: '10.0.0.0/8' }), 403)
  t.equal(await statusWith({ RIVERHOOK_TRUST_PROXY: '10.0.0.0/8, 127.0.0.1' }), 202)
  t.throws(() => readConfig({ RIVERHOOK_TRUST_PROXY: '0.0.0.0/0' }), {
    message: /^RIVERHOOK_TRUST_PROXY must be a list/
  })
})

t.test('the web adapter judges the address that its option gives, and accepts no request without it', async (t) => {
  const lines: { reason?: string }[] = []
  const log = { ...silent, error: (keys: object) => lines.push(keys) }
  const riverhook = createRiverhook({ secrets: secret, allow: 'digital-river', inbox: 'memory:', log: log as never })
  await riverhook.start()
  t.teardown(() => riverhook.stop())
  const request = (): Request => {
    const body = event()
    return new Request('https://shop.example/webhooks/digital-river', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signatureHeaders(body) },
      body: Uint8Array.from(body)
    })
  }
  const handler = toWebHandler(riverhook, { ip: (_request, info: { readonly peer: string }) => info.peer })
  t.equal((await handler(request(), { peer: own })).status, 202)
  t.equal((await handler(request(), { peer: stranger })).status, 403)
  t.equal((await toWebHandler(riverhook)(request())).status, 500)
  t.match(lines, [{ reason: /"allow" needs the address of the sender.*toWebHandler\(\) the option "ip"/ }])
})

t.test('wrong ranges and names are refused at the start', async (t) => {
  const secrets = secret
  const cases: [unknown, RegExp][] = [
    [[], /"allow" must be addresses, ranges/],
    ['10.0.0.0/33', /"allow" must be/],
    ['0.0.0.0/0', /"allow" must be/],
    ['10.0.0.0/8, 10.1.0.0/16', /"allow" must be/],
    [
      ['10.0.0.0/8', 'stripe'],
      /"allow": stripe is neither a range of addresses nor the endpoint's source, digital-river/
    ]
  ]
  for (const [allow, message] of cases) t.throws(() => checkOptions({ secrets, allow }), { message }, String(allow))
  const { addresses, ...unlisted } = digitalRiver()
  t.equal(addresses?.length, 13)
  t.throws(() => checkOptions({ secrets, allow: 'digital-river', source: unlisted }), {
    message: /has no list of addr/
  })
  t.throws(() => checkOptions({ allow: 'digital-river' }), { code: 'RIVERHOOK_OPTIONS_NO_CREDENTIALS' })
})
