import t from 'tap'

import { rig, webhook, type Reply, type Seen } from './api-server.ts'

const request = { address: 'https://shop.example/webhooks/digital-river', types: ['order.accepted', 'order.blocked'] }

/** An account with webhooks. `post` decides the outcome of a create, by its number from 1. */
function account(
  post: (number: number, add: (fields?: Record<string, unknown>) => void) => Reply,
  first: unknown[] = []
) {
  const webhooks = [...first]
  let posts = 0
  const answer = ({ method }: Seen): Reply => {
    if (method === 'GET') return { body: webhooks }
    posts += 1
    // The order of the answer differs from that of the request, as in the provider's example.
    return post(posts, (fields) =>
      webhooks.push(webhook({ id: `new-${webhooks.length}`, types: request.types.toReversed(), ...fields }))
    )
  }
  return { answer, posts: () => posts }
}

t.test('a create that took effect and whose answer was lost is found, not repeated', async (t) => {
  const lost: Reply[] = [
    'cut',
    { status: 500 },
    { status: 503 },
    { status: 504, body: '<html>' },
    { status: 408 },
    { status: 201, body: '' }
  ]
  for (const reply of lost) {
    const { answer, posts } = account((_number, add) => (add(), reply))
    const { client } = await rig(t, answer)
    t.match(await client.webhooks.create(request), { id: 'new-0' })
    t.equal(posts(), 1, `after ${JSON.stringify(reply)}`)
  }
})

t.test('a create that timed out after it took effect is found', async (t) => {
  const { answer, posts } = account((_number, add) => (add(), 'hang'))
  const { client } = await rig(t, answer, { timeoutMs: 1_000 })
  t.match(await client.webhooks.create(request), { id: 'new-0' })
  t.equal(posts(), 1)
})

t.test('a create that did not take effect is repeated', async (t) => {
  const { answer, posts } = account((number, add) => (number < 3 ? 'cut' : (add(), { status: 201, body: webhook() })))
  const { client, waits } = await rig(t, answer)
  t.match(await client.webhooks.create(request), { id: 'wh-1' })
  t.equal(posts(), 3)
  t.strictSame(waits, [250, 500], 'it waits before it searches')
})

t.test('a webhook that existed before, or is another one, is not mistaken for the new one', async (t) => {
  const others = [webhook({ id: 'old', ...request })]
  const { answer, posts } = account((number, add) => {
    if (number > 1) return { status: 201, body: webhook({ id: 'mine' }) }
    add({ id: 'elsewhere', address: 'https://other.example/' })
    add({ id: 'less', types: ['order.accepted'] })
    add({ id: 'more', types: [...request.types, 'refund.created'] })
    return { status: 502 }
  }, others)
  const { client } = await rig(t, answer)
  t.match(await client.webhooks.create(request), { id: 'mine' })
  t.equal(posts(), 2)
})

t.test('the address may be returned in its normal form', async (t) => {
  const { answer, posts } = account((_number, add) => (add({ address: 'https://shop.example/' }), { status: 500 }))
  const { client } = await rig(t, answer)
  t.match(await client.webhooks.create({ ...request, address: 'https://SHOP.example' }), { id: 'new-0' })
  t.equal(posts(), 1)
})

t.test('429 took no effect: the create is repeated without a search', async (t) => {
  const { answer, posts } = account((number) => (number === 1 ? { status: 429 } : { status: 201, body: webhook() }))
  const { client, seen } = await rig(t, answer)
  await client.webhooks.create(request)
  t.equal(posts(), 2)
  t.strictSame(
    seen.map(({ method }) => method),
    ['GET', 'POST', 'POST']
  )
})

t.test('a refusal is final', async (t) => {
  for (const status of [400, 401, 403, 409]) {
    const { answer, posts } = account(() => ({ status }))
    const { client } = await rig(t, answer)
    await t.rejects(client.webhooks.create(request), { name: 'DigitalRiverApiError', status, method: 'POST' })
    t.equal(posts(), 1)
  }
})

t.test('a conflict after a lost answer is the webhook of the first attempt, listed late', async (t) => {
  const { answer, posts } = account((number, add) => (number === 1 ? 'cut' : (add(), { status: 409 })))
  const { client } = await rig(t, answer)
  t.match(await client.webhooks.create(request), { id: 'new-0' })
  t.equal(posts(), 2)
})

t.test('if it fails to the end, the error is that of the create, and says that it may have taken effect', async (t) => {
  const { answer, posts } = account(() => 'cut')
  const { client } = await rig(t, answer, { retries: 2 })
  await t.rejects(client.webhooks.create(request), {
    code: 'RIVERHOOK_API_UNREACHABLE',
    method: 'POST',
    message: /may have taken effect: list the webhooks/
  })
  t.equal(posts(), 3)
})

t.test('a 2xx whose webhook cannot be found is never repeated', async (t) => {
  const { answer, posts } = account(() => ({ status: 201, body: {} }))
  const { client } = await rig(t, answer)
  await t.rejects(client.webhooks.create(request), { code: 'RIVERHOOK_API_ANSWER', message: /it has no id/ })
  t.equal(posts(), 1)
})

t.test('if the search fails, it is not repeated either', async (t) => {
  let posted = 0
  const { client } = await rig(t, ({ method }) => {
    if (method === 'POST') posted += 1
    return posted === 0 ? { body: [] } : { status: 500 }
  })
  await t.rejects(client.webhooks.create(request), {
    method: 'POST',
    status: 500,
    cause: { method: 'GET', status: 500 }
  })
  t.equal(posted, 1)
})
