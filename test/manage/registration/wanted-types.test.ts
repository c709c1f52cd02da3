import t from 'tap'

import { Registry } from '../../../src/handlers/registry.ts'
import { wantedTypes } from '../../../src/manage/registration/wanted-types.ts'

const known = { types: ['order.accepted', 'order.cancelled', 'refund.failed'], withdrawnTypes: ['refund.created'] }

function registryOf(...patterns: string[]): Registry {
  const registry = new Registry()
  for (const [index, pattern] of patterns.entries()) registry.on(pattern, { name: String(index) }, () => undefined)
  return registry
}

t.test('patterns are expanded through the catalogue', async (t) => {
  t.same(wantedTypes(registryOf('order.*'), known), { types: ['order.accepted', 'order.cancelled'], unknown: [] })
  t.same(wantedTypes(registryOf('refund.failed', 'order.accepted', 'order.accepted'), known).types, [
    'order.accepted',
    'refund.failed'
  ])
  t.same(wantedTypes(registryOf('*'), known).types, known.types, 'a pattern does not request withdrawn types')
})

t.test('a prefix requests no type that no handler would be called for', async (t) => {
  t.same(wantedTypes(registryOf('order.*', 'pay/*'), { types: ['order.', 'pay/', 'pay/all'] }), {
    types: ['pay/all'],
    unknown: ['order.*']
  })
})

t.test('a registration contains names and never a pattern, from any caller', async (t) => {
  t.same(wantedTypes(registryOf('refund.failed'), known, ['order.*']), {
    types: ['order.accepted', 'order.cancelled', 'refund.failed'],
    unknown: []
  })
  t.same(wantedTypes(registryOf(), known, ['*']).types, known.types)
  t.same(wantedTypes(registryOf('order.accepted'), known, ['new.*', 'order.*.failed']), {
    types: ['order.accepted'],
    unknown: ['new.*', 'order.*.failed']
  })
  t.same(
    wantedTypes(registryOf('order.*'), known, [], ['order.*']).types,
    ['order.accepted', 'order.cancelled'],
    "the provider's existing types are no reason"
  )
})

t.test('a withdrawn type is requested only by name', async (t) => {
  t.same(wantedTypes(registryOf('refund.*', 'refund.created'), known), {
    types: ['refund.created', 'refund.failed'],
    unknown: []
  })
})

t.test('an unknown type is reported and left out: it would make the whole registration fail', async (t) => {
  t.same(wantedTypes(registryOf('order.acepted', 'refund.failed', 'invoice.*'), known), {
    types: ['refund.failed'],
    unknown: ['order.acepted', 'invoice.*']
  })
})

t.test('a new type is requested if it is named, or if the provider has accepted it before', async (t) => {
  t.same(wantedTypes(registryOf('order.split'), known, ['order.split']), { types: ['order.split'], unknown: [] })
  t.same(wantedTypes(registryOf('order.split'), known, [], ['order.split', 'other.type']), {
    types: ['order.split'],
    unknown: []
  })
  t.same(wantedTypes(registryOf('new.*'), known, ['new.thing']), { types: ['new.thing'], unknown: [] })
})
