import t from 'tap'

import { chooseRealm, realmProblems } from '../../src/options/realms.ts'
import { startReceiver } from '../receive/receiver.ts'

// Risk: a live order, exposed to anyone who has the secret of the test shop or of another provider.
t.test('the realm of an endpoint is the one that it names, otherwise its source, with test mode separate', (t) => {
  t.equal(chooseRealm({}, 'digital-river'), 'digital-river')
  t.equal(chooseRealm({ mode: 'live' }, 'digital-river'), 'digital-river')
  t.equal(chooseRealm({ mode: 'test' }, 'digital-river'), 'digital-river:test')
  t.equal(chooseRealm({ mode: 'test', realm: 'shop' }, 'digital-river'), 'shop')
  t.end()
})

t.test('one realm with two sources is refused, with both endpoints named; one source may share a realm', (t) => {
  const shared = { realm: 'shop', source: 'digital-river' }
  t.same(
    realmProblems([
      { path: '/a', ...shared },
      { path: '/b', ...shared }
    ]),
    []
  )
  t.match(
    realmProblems([
      { path: '/a', ...shared },
      { path: '/c', realm: 'shop', source: 'bank' }
    ]),
    [
      /endpoints \/a \(source digital-river\) and \/c \(source bank\) have one realm, "shop".*give one of them another "realm"/
    ]
  )
  t.end()
})

t.test('a realm that is unsafe in a log or a label is refused by name', async (t) => {
  for (const realm of ['', 'a b', 'x'.repeat(101), 'a\n', 5])
    await t.rejects(startReceiver(t, { realm: realm as never }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /"realm" must be 1 to 100 letters, digits or any of/
    })
})
