import t from 'tap'

import { AddressList, readRange } from '../../src/model/address-list.ts'

// Risk: a stranger who counts as the provider, or a provider who is refused because of the notation of its address.
t.test('an address is in its ranges in every notation, and in no other', async (t) => {
  const list = new AddressList(['203.0.113.8/29', '198.51.100.7', '2001:db8::/32', '::ffff:192.0.2.0/120'])
  const inside = ['203.0.113.8', '203.0.113.15', '::ffff:203.0.113.9', '::ffff:cb00:7109', '198.51.100.7']
  inside.push('2001:DB8::1', '2001:db8:ffff::', '2001:db8::1%eth0', '192.0.2.4', '::ffff:192.0.2.4')
  for (const address of inside) t.ok(list.has(address), address)
  const outside = ['203.0.113.7', '203.0.113.16', '::ffff:203.0.113.16', '198.51.100.8', '2001:db9::1', '192.0.3.4']
  outside.push('', 'unknown', '203.0.113.9:443', '203.0.113.9, 1.2.3.4', '::cb00:7109', '0203.0.113.9')
  for (const address of outside) t.notOk(list.has(address), address)
  for (const text of ['', 'x', '1.2.3', '1.2.3.4/33', '::/129', '1.2.3.4/', '1.2.3.4/8/8', '1.2.3.4/-1', 'fe80::1%lo'])
    t.equal(readRange(text), undefined, text)
  t.same(readRange('::/0'), { address: '::', bits: 0, family: 'ipv6' })
})
