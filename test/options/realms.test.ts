import t from 'tap'

import { checkRealms, chooseRealm } from '../../src/options/realms.ts'
import { startReceiver } from '../receive/receiver.ts'

// What a user would lose: a live order, to whoever has the secret of the test shop or of another provider.
t.test('an endpoint has the realm that it names, else its source, test events apart', (t) => {
  t.equal(chooseRealm({}, 'digital-river'), 'digital-river')
  t.equal(chooseRealm({ mode: 'live' }, 'digital-river'), 'digital-river')
  t.equal(chooseRealm({ mode: 'test' }, 'digital-river'), 'digital-river:test')
  t.equal(chooseRealm({ mode: 'test', realm: 'shop' }, 'digital-river'), 'shop')
  t.end()
})

t.test(
  'one realm with two sources is refused, with both endpoints named; endpoints of one source may share one',
  (t) => {
    const shared = { realm: 'shop', source: 'digital-river' }
    checkRealms([
      { path: '/a', ...shared },
      { path: '/b', ...shared }
    ])
    t.throws(
      () => {
        checkRealms([
          { path: '/a', ...shared },
          { path: '/c', realm: 'shop', source: 'bank' }
        ])
      },
      {
        code: 'RIVERHOOK_OPTIONS_INVALID',
        message:
          /endpoints \/a \(source digital-river\) and \/c \(source bank\) have one realm, "shop".*give one of them another "realm"/
      }
    )
    t.end()
  }
)

t.test('a realm that does not fit a log or a label is refused by name', async (t) => {
  for (const realm of ['', 'a b', 'x'.repeat(101), 'a\n', 5])
    await t.rejects(startReceiver(t, { realm: realm as never }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /"realm" must be 1 to 100 letters, digits or any of/
    })
})
