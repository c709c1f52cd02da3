import t from 'tap'

import { openDoor } from './door.ts'

const header = 'X-Forwarded-User'
const named = (name: string) => ({ 'x-forwarded-user': name })
const who = (answer: { json(): { operator: unknown } }) => answer.json().operator

t.test('the proxy names the operator, who may read', async (t) => {
  const knock = await openDoor(t, { proxy: { header, from: ['10.1.0.0/16', '::1', 'fd00::/8'] } })
  for (const from of ['10.1.255.1', '::ffff:10.1.0.1', '::1', 'fd12::1'])
    t.same(who(await knock({ from, headers: named('bob@example.com') })), {
      name: 'bob@example.com',
      scopes: ['read'],
      via: 'proxy'
    })
  t.equal(who(await knock({ from: '10.1.0.1' })), null, 'without the header')
})

// Risk: everybody who reaches the port can write the header.
t.test('the header of another peer is ignored, whatever it forwards', async (t) => {
  const knock = await openDoor(t, { proxy: { header, from: ['10.1.0.0/16'] } })
  for (const from of ['10.2.0.1', '127.0.0.1', '::1', '::ffff:10.2.0.1', 'fe80::1%eth0', '', '/run/riverhook.sock']) {
    const headers = {
      ...named('bob'),
      'x-forwarded-for': '10.1.0.1',
      forwarded: 'for=10.1.0.1',
      'x-real-ip': '10.1.0.1'
    }
    t.equal(who(await knock({ from, headers })), null, from)
  }
})

t.test('with a list of operators, others are refused', async (t) => {
  const proxy = { header, from: ['10.1.0.1'], operators: [{ name: 'bob', scopes: ['read', 'operate'] as const }] }
  const knock = await openDoor(t, { proxy })
  const from = '10.1.0.1'
  t.match(who(await knock({ from, headers: named('bob') })), { scopes: ['read', 'operate'] })
  for (const name of ['alice', 'Bob', '', 'bob, alice', '__proto__', 'toString', 'bob\u0000', 'b'.repeat(201)])
    t.equal(who(await knock({ from, headers: named(name) })), null, JSON.stringify(name))
})

t.test('a proxy that is not described completely stops the start', async (t) => {
  const wrong: unknown[] = [
    { header },
    { from: ['10.0.0.1'] },
    { header, from: [] },
    { header, from: ['10.0.0.0/33'] },
    { header, from: ['10.0.0.0/8/8'] },
    { header, from: ['10.0.0.0/'] },
    { header, from: ['proxy.internal'] },
    { header, from: ['0.0.0.0/0'] },
    { header, from: ['::/0'] },
    { header: 'x y', from: ['10.0.0.1'] },
    { header: 'Cookie', from: ['10.0.0.1'] },
    { header: 'x-forwarded-for', from: ['10.0.0.1'] },
    { header, from: ['10.0.0.1'], operators: [{ name: 'bob', scopes: ['admin'] }] },
    { header, from: ['10.0.0.1'], operators: [{ name: '', scopes: ['read'] }] },
    { header, from: ['10.0.0.1'], operator: [] }
  ]
  for (const proxy of wrong)
    await t.rejects(
      openDoor(t, { proxy: proxy as never }),
      { code: 'RIVERHOOK_OPTIONS_INVALID' },
      JSON.stringify(proxy)
    )
})
