import { join } from 'node:path'
import t, { type Test } from 'tap'

import { defineHandler, PermanentError, type RiverhookOptions } from '../../src/index.ts'
import { github, stripe } from '../../src/sources.ts'
import { whenSettled } from '../../src/testing/index.ts'
import { makeFolder } from '../folder.ts'
import { about } from './filled-rig.ts'
import { post, secret } from '../receive/receiver.ts'
import { startAdmin, type Rig } from './rig.ts'

// Risk: an operator who may only look sees a person's data where no path of now applies to it.

const read = { scopes: ['read'] } as const
const textOf = async ({ call }: Rig, path: string): Promise<string> => (await call(path, read)).text()

/** The answers of all routes that show the texts of an event. */
async function answersOf(t: Test, rig: Rig, id: string): Promise<string> {
  const texts = await Promise.all(
    ['events', `event?id=${id}`, `event/related?id=${id}`, 'failures'].map((path) => textOf(rig, path))
  )
  const tail = await rig.call('events/tail?lastEventId=0', read)
  const reader = tail.body!.pipeThrough(new TextDecoderStream()).getReader()
  let streamed = ''
  while (!/event: (event|failed)/.test(streamed)) streamed += (await reader.read()).value ?? ''
  await reader.cancel()
  t.match(streamed, id)
  return [...texts, streamed].join('\n')
}

t.test('an error that was stored before its path was configured is masked in lists, too', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const receiver: RiverhookOptions = {
    inbox,
    secrets: secret,
    path: '/hook',
    handlers: defineHandler('*', { name: 'erp' }, ({ data }) => {
      const { metadata } = data.object as { readonly metadata: { readonly nick: string } }
      throw new PermanentError(`ERP has no ${metadata.nick}, of O-9`)
    })
  }
  const first = await startAdmin(t, { receiver })
  await post(new URL('/hook', first.api).href, about('e9', { id: 'O-9', metadata: { nick: 'Countess' } }))
  await whenSettled(first.app.riverhook.inbox, 'e9', { deliveries: 1 })
  t.match(await answersOf(t, first, 'e9'), /ERP has no Countess/)
  await first.app.close()
  const second = await startAdmin(t, { receiver: { ...receiver, redact: ['**.nick'] } })
  const masked = await answersOf(t, second, 'e9')
  t.notMatch(masked, /Countess/i)
  t.equal(masked.match(/ERP has no ••••, of O-9/g)?.length, 4 + 1, 'lists, the event with its attempt, and the tail')
})

t.test('nothing of the events of a source that no endpoint has any more is shown', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const source = stripe()
  const own = { path: '/hook', secrets: secret }
  const first = await startAdmin(t, {
    receiver: {
      inbox,
      secrets: undefined,
      endpoints: [own, { path: '/stripe', source, secrets: 'whsec_a' }],
      handlers: defineHandler(source, '*', { name: 'book' }, () => {
        throw new PermanentError('no room for Ada in cus_1')
      })
    }
  })
  const body = Buffer.from(
    JSON.stringify({
      id: 'evt_1',
      type: 'charge.failed',
      created: 1,
      data: { object: { id: 'ch_1', customer: 'cus_1', seat: 'room' } }
    })
  )
  await post(new URL('/stripe', first.api).href, body, {
    'digitalriver-signature': undefined,
    ...source.sign({ body, secret: 'whsec_a', at: new Date() })
  })
  await whenSettled(first.app.riverhook.inbox, 'evt_1', { deliveries: 1 })
  t.match(await textOf(first, 'event?id=evt_1'), /"seat":"room"/)
  await first.app.close()
  const second = await startAdmin(t, { receiver: { inbox, secrets: undefined, endpoints: [own] } })
  t.match(JSON.parse(await textOf(second, 'event?id=evt_1')), {
    id: 'evt_1',
    payload: {
      masked: true,
      value: { id: '•••• (string, 5)', data: { object: { seat: '•••• (string, 4)' } } },
      about: []
    },
    deliveries: [{ lastError: /no •••• for Ada in ••••/ }]
  })
  t.notMatch(await answersOf(t, second, 'evt_1'), /room|cus_1/)
})

t.test('the values of a form are masked in keys, order keys and errors', async (t) => {
  const source = github()
  const rig = await startAdmin(t, {
    receiver: {
      secrets: undefined,
      endpoints: [{ path: '/github', source, secrets: 'gh_secret' }],
      search: { keys: ['payload.pusher.name', 'payload.pusher.email'] },
      handlers: defineHandler(
        source,
        'push',
        { name: 'build', orderBy: ({ payload }) => (payload.pusher as { name: string }).name },
        ({ payload }) => {
          throw new PermanentError(`no builder for ${(payload.pusher as { name: string }).name}`)
        }
      )
    }
  })
  const payload = JSON.stringify({ after: 'abc', pusher: { name: 'Ada Lovelace', email: 'ada@x.example' } })
  const body = Buffer.from(new URLSearchParams({ payload }).toString())
  const headers = source.sign({ body, secret: 'gh_secret', at: new Date(), id: 'g1', type: 'push' })
  const { status } = await post(new URL('/github', rig.api).href, body, {
    ...headers,
    'content-type': 'application/x-www-form-urlencoded'
  })
  t.equal(status, 202)
  await whenSettled(rig.app.riverhook.inbox, 'g1', { deliveries: 1 })
  t.match(await rig.app.riverhook.inbox.event({ realm: 'github', id: 'g1' }), {
    about: ['abc', 'ada lovelace', 'ada@x.example']
  })
  t.match(JSON.parse(await textOf(rig, 'event?id=g1')), {
    payload: { masked: true, about: ['abc'] },
    deliveries: [{ orderKey: '••••', lastError: /no builder for ••••$/ }]
  })
  t.notMatch(await answersOf(t, rig, 'g1'), /ada|lovelace/i)
})

// Risk: one odd character in one event, and the whole page of the list is an internal error.
t.test('half a surrogate pair in a body neither shows an address nor fails a list', async (t) => {
  const rig = await startAdmin(t, {
    receiver: {
      secrets: secret,
      path: '/hook',
      handlers: defineHandler('*', { name: 'erp' }, ({ data }) => {
        throw new PermanentError(`ERP has no ${String((data.object as { readonly note?: unknown }).note)}`)
      })
    }
  })
  await post(new URL('/hook', rig.api).href, about('e9', { id: 'O-9', note: '\ud800ada@x.example' }))
  await whenSettled(rig.app.riverhook.inbox, 'e9', { deliveries: 1 })
  const masked = await answersOf(t, rig, 'e9')
  t.match(masked, /ERP has no/)
  t.notMatch(masked, /x\.example/)
})
