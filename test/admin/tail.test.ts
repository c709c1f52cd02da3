import t, { type Test } from 'tap'

import { about, startFilled, type FilledRig } from './filled-rig.ts'

// Risk: a live list misses an event, and the operator who looks at it does not notice.

interface Message {
  readonly id?: string
  readonly event?: string
  readonly data?: string
}

/** Opens a tail, and reads its messages one by one. Ends it with the test. */
async function openTail(t: Test, { call }: FilledRig, path: string, headers: Record<string, string> = {}) {
  const answer = await call(path, { scopes: ['read'], headers })
  t.equal(answer.status, 200)
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  t.teardown(() => reader.cancel().catch(() => undefined))
  let rest = ''
  const next = async (): Promise<Message | undefined> => {
    while (!rest.includes('\n\n')) {
      const { done, value } = await reader.read()
      if (done) return undefined
      rest += value
    }
    const end = rest.indexOf('\n\n')
    const lines = rest.slice(0, end).split('\n')
    rest = rest.slice(end + 2)
    return Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2))) as Message
  }
  /** The next event, and the last id by then. */
  const event = async (): Promise<{ readonly id: string; readonly lastId: string } | undefined> => {
    for (;;) {
      const message = await next()
      if (message?.event === 'event')
        return { id: (JSON.parse(message.data ?? '{}') as { id: string }).id, lastId: message.id ?? '' }
      if (message === undefined || message.event !== undefined) return undefined
    }
  }
  return { answer, next, event }
}

t.test('new events arrive as they match, and none twice', async (t) => {
  const rig = await startFilled(t)
  const { answer, next, event } = await openTail(t, rig, 'events/tail?type=order.*')
  t.match(Object.fromEntries(answer.headers), { 'content-type': /^text\/event-stream/, 'x-accel-buffering': 'no' })
  t.match(await next(), { retry: '2000' })
  t.match(await next(), { id: /^\d+$/ }, 'a position at once, before there is an event')
  await rig.send(about('other', { id: 'R-2' }, 'refund.complete'), 'other')
  await rig.send(about('n1', { id: 'O-7' }), 'n1')
  t.match(await event(), { id: 'n1' })
  await rig.send(about('n2', { id: 'O-7' }), 'n2')
  t.match(await event(), { id: 'n2' })
})

t.test('a tail that was cut continues where it was', async (t) => {
  const rig = await startFilled(t)
  const first = await openTail(t, rig, 'events/tail')
  await first.next()
  const { id = '' } = (await first.next())!
  for (const each of ['n1', 'n2', 'n3']) await rig.send(about(each, { id: 'O-7' }), each)
  // The header wins: a browser repeats the query of the first time.
  const second = await openTail(t, rig, 'events/tail?lastEventId=999999', { 'last-event-id': id })
  for (const each of ['n1', 'n2', 'n3']) t.match(await second.event(), { id: each })
  const third = await openTail(t, rig, `events/tail?lastEventId=${id}`)
  t.match(await third.event(), { id: 'n1' })
  t.equal((await rig.call('events/tail?lastEventId=abc', { scopes: ['read'] })).status, 400)
  t.equal((await rig.call('events/tail?since=tomorrow', { scopes: ['read'] })).status, 400)
})

// Risk: after a backup was put back, an open page shows nothing new for thousands of events.
t.test('a tail that was further than the inbox is now follows what arrives from now on', async (t) => {
  const rig = await startFilled(t)
  const { next, event } = await openTail(t, rig, 'events/tail?lastEventId=999999')
  await next()
  await next()
  await rig.send(about('n1', { id: 'O-7' }), 'n1')
  t.match(await event(), { id: 'n1' })
})

t.test('on several machines: an event that becomes visible after later ones is not missed', async (t) => {
  const rig = await startFilled(t)
  const { events } = await rig.inbox.events({ limit: 10, oldestFirst: true, type: '*' })
  const [late, ...others] = events
  // As two servers of PostgreSQL: e1 has the first place, and its transaction ends last.
  let isVisible = false
  const original = { events: rig.inbox.events.bind(rig.inbox), servers: rig.inbox.servers }
  Object.assign(rig.inbox, {
    servers: () => Promise.resolve(['a', 'b']),
    events: async (filter: { after?: number }) =>
      (filter.after ?? 0) > 0
        ? { events: [], next: undefined }
        : { events: isVisible ? events : others, next: undefined }
  })
  t.teardown(() => Object.assign(rig.inbox, original))
  const { event } = await openTail(t, rig, 'events/tail?lastEventId=0')
  t.match(await event(), { id: others[0]?.id })
  t.match(await event(), { id: others[1]?.id })
  isVisible = true
  t.match(await event(), { id: late?.id })
})

t.test('a shutdown ends the tails and their connections, and at most 20 are open', async (t) => {
  const rig = await startFilled(t)
  // The server itself never ends a connection that is not in use, so that a tail must not leave one.
  rig.app.server.keepAliveTimeout = 0
  const tails = []
  for (let open = 0; open < 20; open += 1) tails.push(await openTail(t, rig, 'events/tail'))
  const refused = await rig.call('events/tail', { scopes: ['read'] })
  t.equal(refused.status, 429)
  t.ok(refused.headers.get('retry-after'))
  await rig.app.close()
  for (const { next } of tails) while ((await next()) !== undefined);
  t.pass('all have ended')
})

t.test('an inbox that fails ends the tail with the reason', async (t) => {
  const rig = await startFilled(t)
  const { next } = await openTail(t, rig, 'events/tail')
  await next()
  await next()
  await rig.inbox.close()
  let last: Message | undefined
  for (let message = await next(); message !== undefined; message = await next()) last = message
  t.match(last, { event: 'failed', data: /RIVERHOOK_INBOX_CLOSED/ })
})
