import t from 'tap'

import type { EventDetail } from '../../src/index.ts'
import { maskSummaries } from '../../src/lifecycle/masked-event.ts'
import { Redaction } from '../../src/payload/redaction.ts'

// Risk: a list shows an order key that is a person's address, or a page of hostile bodies stops the server for minutes.

const redaction = new Redaction(['email'])
const sources = { redactionOf: () => redaction, wideRedactionOf: () => redaction }

const failed = (id: string, body: Uint8Array): EventDetail => ({
  ...{ id, realm: 'r', source: 's', type: 'order.accepted', state: 'accepted', liveMode: false, endpoint: '/hook' },
  ...{ createdTime: undefined, resource: 'O-1', receivedAt: new Date(0), backfilled: false, duplicates: 0 },
  ...{ conflicts: 0, reason: undefined, about: [], headers: {}, receipt: { checks: [], judgedAt: '' } },
  body,
  deliveries: [
    {
      ...{ id: 1, handler: 'erp', state: 'dead', attempts: 1, losses: 0, dueAt: undefined, owner: undefined },
      ...{ orderKey: 'ada lovelace', lastError: 'no Ada Lovelace', settledAt: undefined, jobId: undefined },
      attemptLog: []
    }
  ]
})
const body = (spaces = 0): Buffer => Buffer.from(`{"email":"Ada Lovelace"${' '.repeat(spaces)}}`)

t.test('no order key is in a list, not even of an event without an error', async (t) => {
  const event = failed('e1', body())
  const fine = { ...event, deliveries: event.deliveries.map((each) => ({ ...each, lastError: undefined })) }
  const inbox = { event: async () => event }
  const masked = await maskSummaries(sources, inbox, [event, fine])
  t.notMatch(JSON.stringify(masked.map(({ deliveries }) => deliveries)), /ada/i)
  t.match(masked, [
    { id: 'e1', resource: 'O-1', deliveries: [{ handler: 'erp', lastError: 'no ••••' }] },
    { id: 'e1', resource: 'O-1', deliveries: [{ handler: 'erp', lastError: undefined }] }
  ])
})

t.test('other work has its turn between the events of a list', async (t) => {
  const events = ['e1', 'e2', 'e3'].map((id) => failed(id, body()))
  let turns = 0
  let isDone = false
  const count = (): void => {
    turns += 1
    if (!isDone) setImmediate(count)
  }
  setImmediate(count)
  const seen: number[] = []
  await maskSummaries(sources, { event: async ({ id }) => (seen.push(turns), failed(id, body())) }, events)
  isDone = true
  t.equal(seen.length, 3)
  t.same([...new Set(seen)], seen, 'each event in another turn')
})

t.test('after many bytes of bodies, texts are hidden entirely and no body is read', async (t) => {
  const large = body(5 * 1024 * 1024)
  const events = ['e1', 'e2', 'e3', 'e4', 'e5'].map((id) => failed(id, large))
  const read: string[] = []
  const masked = await maskSummaries(sources, { event: async ({ id }) => (read.push(id), failed(id, large)) }, events)
  t.same(
    masked.map(({ deliveries }) => deliveries[0]?.lastError),
    ['no ••••', 'no ••••', 'no ••••', '••••', '••••']
  )
  t.same(read, ['e1', 'e2', 'e3', 'e4'])
})
