import t from 'tap'

import { describePlan, makePlan, type WantedRegistration } from '../../../src/manage/registration/plan.ts'
import { pathWarning } from '../../../src/manage/registration/registration.ts'
import type { Registration } from '../../../src/source/source.ts'

const address = 'https://shop.example/hooks'
const wanted: WantedRegistration = { address, types: ['order.accepted', 'refund.failed'], enabled: true }
const found: Registration & Readonly<Record<string, unknown>> = {
  id: 'w1',
  ...wanted,
  apiVersion: 'default',
  transportType: 'HTTP',
  createdTime: '2026-01-01T00:00:00Z'
}

function plan(
  registration: Partial<WantedRegistration> = {},
  ...webhooks: (Partial<Registration> & Readonly<Record<string, unknown>>)[]
) {
  return makePlan(
    { registration: { ...wanted, ...registration }, unknown: [], defaults: { transportType: 'HTTP' } },
    webhooks.map((changes) => ({ ...found, ...changes }))
  )
}

t.test('without a webhook, a complete one is to be created', async (t) => {
  const made = plan({ authentication: { username: 'u', password: 'hush' } })
  t.equal(made.found, undefined)
  t.same(describePlan(made), [
    `+ webhook ${address}`,
    '+ types order.accepted',
    '+ types refund.failed',
    '+ enabled true',
    '+ authentication.username u',
    '+ authentication.password (not shown)'
  ])
  t.same(made.changes, { ...wanted, authentication: { username: 'u', password: 'hush' } })
})

t.test('with a matching webhook there is nothing to do, in any order of types and case of the host', async (t) => {
  const made = plan({}, { types: ['refund.failed', 'order.accepted'], address: 'HTTPS://Shop.example:443/hooks' })
  t.same(made.lines, [])
  t.same(made.changes, {})
  t.same(describePlan(made).at(-1), '= nothing to do')
})

t.test('only differences are sent, so that nothing else is reset', async (t) => {
  t.same(plan({}, { enabled: false }).changes, { enabled: true })
  t.same(describePlan(plan({}, { enabled: false })).slice(1), ['~ enabled false -> true'])
  const types = plan({}, { types: ['order.accepted', 'order.blocked'] })
  t.same(types.changes, { types: wanted.types })
  t.same(describePlan(types).slice(1), ['+ types refund.failed', '- types order.blocked (no handler for it)'])
  t.same(plan({ apiVersion: '2021-12-13' }, {}).changes, { apiVersion: '2021-12-13' })
})

t.test('settings that the code does not mention stay unchanged', async (t) => {
  const oauth = { tokenEndPoint: 'https://shop.example/token', clientID: 'c', clientSecret: 's' }
  t.same(plan({}, { transportType: 'OAUTH', oauth, apiVersion: '2021-03-23' }).lines, [])
})

t.test('a change of credentials is reported without their values', async (t) => {
  const before = { authentication: { username: 'u', password: 'old-password' } }
  const made = plan({ transportType: 'HTTP', authentication: { username: 'u', password: 'new-password' } }, before)
  t.same(describePlan(made).slice(1), ['~ authentication.password (not shown)'])
  t.same(made.changes, { authentication: { username: 'u', password: 'new-password' } })
  t.notMatch(JSON.stringify(made.lines), /old-password|new-password/)
  t.same(
    plan({ authentication: { username: 'u', password: 'p' } }, { authentication: { username: 'u' } }).lines,
    [],
    'a hidden password cannot differ'
  )
})

t.test('other webhooks are ignored; of two at the address, the oldest is used', async (t) => {
  const other = { id: 'w0', address: 'https://shop.example/other', enabled: false, createdTime: '2020-01-01T00:00:00Z' }
  const twin = { id: 'w2', createdTime: '2026-02-01T00:00:00Z' }
  const made = plan({}, twin, other, {})
  t.equal(made.found?.id, 'w1')
  t.same(
    made.twins.map(({ id }) => id),
    ['w2']
  )
  t.match(describePlan(made).at(-1), /^! webhook w2 has the same address/)
})

t.test('handlers of unknown types are named', async (t) => {
  const made = makePlan({ registration: wanted, unknown: ['order.acepted'] }, [found])
  t.match(describePlan(made).at(-1), /^! handler order\.acepted: /)
})

t.test('an address whose path is not served causes a warning, as every event would be answered 404', async (t) => {
  const served = '/webhooks/digital-river'
  for (const address of [
    'https://shop.example/webhooks/digital-river',
    'https://shop.example:8443/webhooks/digital%2Driver?a=1'
  ])
    t.equal(pathWarning(address, served), undefined)
  for (const path of [
    '/webhooks/digital-river/',
    '/',
    '/webhooks/Digital-River',
    '/shop/webhooks/digital-river',
    '/%E0%A4%A'
  ]) {
    t.match(
      pathWarning(`https://shop.example${path}`, served),
      new RegExp(`has the path ${path}, but the endpoint is at ${served}: `)
    )
  }
})
