import type { LookupAddress } from 'node:dns'
import t from 'tap'

import { forward } from '../../src/index.ts'
import { isRefusedAddress } from '../../src/model/refused-address.ts'
import { Poster } from '../../src/forward/post.ts'
import { startTarget } from './target.ts'

// Risk: the credentials of the machine, exposed to anyone who can set a URL or answer for a name.

t.test('link-local and metadata addresses are refused in every notation', (t) => {
  for (const host of [
    '169.254.169.254',
    '169.254.0.1',
    '169.254.170.2',
    '2852039166',
    '0xa9fea9fe',
    '0251.0376.0251.0376',
    '169.254.43518',
    '169.254.169.254.',
    '[fe80::1]',
    '[febf::1]',
    '[fd00:ec2::254]',
    '[fd00:0ec2:0::23]',
    '[fd20:ce::254]',
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:a9fe]',
    '[::169.254.169.254]',
    '[64:ff9b::169.254.169.254]',
    '[2002:a9fe:a9fe::1]',
    '[fd00:c1::a9fe:a9fe]',
    '[fd00:42::42]',
    '[fd00:a9fe:a9fe::1]',
    '[fd00:100::100:200]',
    // Each metadata address, in what translators turn into it.
    ...['169.254.169.254', '100.100.100.200', '192.0.0.192', '168.63.129.16'].flatMap((address) =>
      ['::', '::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'].map((carrier) => `[${carrier}${address}]`)
    ),
    '[2002:6464:64c8::1]',
    '[2002:a83f:8110::]',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192'
  ])
    t.throws(
      () => forward({ url: `http://${host}/latest/meta-data` }),
      /must not lead to a link-local or metadata address/,
      host
    )
  for (const host of [
    ...['127.0.0.1', '10.0.0.1', '169.253.0.1', '100.100.100.201', 'erp.internal'],
    ...['[::1]', '[fd00:ec3::254]', '[fec0::1]', '[fd00:42::43]', '[64:ff9b::10.0.0.1]', '[2002:6464:64c9::1]']
  ])
    t.doesNotThrow(() => forward({ url: `http://${host}/hooks` }), host)
  t.ok(isRefusedAddress('fe80::1%eth0'))
  t.notOk(isRefusedAddress('metadata.google.internal'), 'a name is judged by its addresses')
  t.end()
})

t.test('a name is judged by all of its addresses, at each connection', async (t) => {
  const target = await startTarget(t)
  const url = new URL(`http://erp.internal:${target.port}/`)
  const send = (poster: Poster) =>
    poster.send({
      headers: { connection: 'close' },
      body: Buffer.from('{}'),
      timeoutMs: 10_000,
      signal: new AbortController().signal
    })
  const resolving = (...answers: readonly (readonly string[])[]) => {
    let count = 0
    return new Poster(url, (_hostname, { all }, callback) => {
      t.equal(all, true)
      const addresses = answers[Math.min(count, answers.length - 1)] ?? []
      count += 1
      callback(
        null,
        addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }))
      )
    })
  }
  const refused = { code: 'RIVERHOOK_FORWARD_FAILED', message: /erp\.internal:\d+: .*link-local or metadata address/ }
  for (const address of ['169.254.169.254', '::ffff:169.254.169.254', 'fe80::1', 'fd00:ec2::254'])
    await t.rejects(send(resolving([address])), refused, address)
  await t.rejects(send(resolving(['127.0.0.1', '169.254.169.254'])), refused, 'one of two')
  t.same(target.connections, [])
  await t.rejects(send(resolving([])), /no address/)

  // The name resolves to a public address at the first look-up, and then to another one.
  const rebinding = resolving(['127.0.0.1'], ['169.254.169.254'])
  t.equal((await send(rebinding)).status, 204)
  await t.rejects(send(rebinding), refused)
  t.equal(target.connections.length, 1)
})
