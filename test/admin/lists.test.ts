import t from 'tap'

import { about, everything, realm, startFilled } from './filled-rig.ts'

// Risk: an operator sees other events than those that the filter names, and repairs those.

const idsOf = (body: Record<string, unknown>) => (body['events'] as { readonly id: string }[]).map(({ id }) => id)

t.test('events: each condition selects, and they hold together', async (t) => {
  const { json, inbox } = await startFilled(t)
  const quarantined = (await inbox.events({ state: 'quarantined', limit: 1 })).events[0]!.id
  const expected: readonly (readonly [string, readonly string[]])[] = [
    ['events', [quarantined, 'e3', 'e2', 'e1']],
    ['events?order=oldest', ['e1', 'e2', 'e3', quarantined]],
    ['events?about=o-1', ['e3', 'e2', 'e1']],
    ['events?about=buyer*', ['e2', 'e1']],
    ['events?id=e2', ['e2']],
    ['events?type=order.*', ['e2', 'e1']],
    ['events?state=dead', ['e2', 'e1']],
    ['events?state=quarantined', [quarantined]],
    ['events?state=done&handler=mail&type=refund.complete', ['e3']],
    ['events?handler=erp&state=done', []],
    [`events?realm=${realm}&source=digital-river&limit=1`, [quarantined]],
    ['events?endpoint=/hook&live=false&state=dead', ['e2', 'e1']],
    ['events?live=true', []],
    ['events?error=refused', []],
    ['events?since=1h', [quarantined, 'e3', 'e2', 'e1']],
    ['events?until=1h', []],
    ['events?since=2999-01-01T00:00:00Z', []]
  ]
  for (const [path, ids] of expected) {
    const { status, body } = await json(path, { scopes: ['read', 'reveal'] })
    t.equal(status, 200, path)
    t.same(idsOf(body), ids, path)
  }
  t.same((await json('events/count?type=order.*')).body, { n: 2, capped: false })
  // Otherwise, an e-mail address could be guessed letter by letter.
  t.match(await json('events?about=buyer*', { scopes: ['read'] }), {
    status: 403,
    body: { message: '"about" with "*" at its end needs the scope "reveal", which you do not have' }
  })
})

// Risk: personal data is found out by conditions, and no entry says by whom.
t.test('each search by hidden values is in the audit log, without the values', async (t) => {
  const { json, call, inbox } = await startFilled(t)
  const where = encodeURIComponent('data.object.email~buyer')
  const post = (path: string, filter: object) =>
    json(path, { method: 'POST', scopes: everything, body: { filter, dryRun: true } })
  const searches = [
    () => json(`events?type=order.*&where=${where}`, { scopes: everything }),
    () => json('events/count?about=buyer*', { scopes: everything }),
    async () => {
      const { status, body } = await call(`events/tail?where=${where}`, { scopes: everything })
      await body?.cancel()
      return { status }
    },
    () => post('replays', { where: ['data.object.email~buyer'] }),
    () => post('removals', { where: ['data.object.email~buyer'] })
  ]
  for (const search of searches) t.equal((await search()).status, 200)
  await json('events?about=O-1', { scopes: everything })
  const { entries } = await inbox.audits({ limit: 9 })
  t.same(
    entries.toReversed().map(({ actor, action, target, count }) => [actor, action, target, count]),
    ['type=order.* where=...', 'about=...', 'where=...', 'where=...', 'where=...'].map((target) => [
      'alice',
      'events.reveal',
      target,
      0
    ])
  )
  t.equal(entries[0]?.outcome, 'searched by hidden values')
})

t.test('events: a wrong condition is an error that names it, never a list of everything', async (t) => {
  const { json } = await startFilled(t)
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['handlr=erp', /querystring: "handlr" is unknown/],
    ['state=broken', /querystring.state must be equal to one of the allowed values: pending, /],
    ['limit=0', /querystring.limit must be >= 1/],
    ['limit=201', /querystring.limit must be <= 200/],
    ['limit=many', /querystring.limit must be integer/],
    ['since=yesterday', /"since" must be an instant such as/],
    ['about=a*', /"about" must be a text of 1 to 200 characters, or at least 3/],
    ['type=a&type=b', /querystring.type must be string/],
    ['error=', /querystring.error must NOT have fewer than 1 characters/],
    ['live=maybe', /querystring.live must be boolean/],
    ['type=', /querystring.type must NOT have fewer than 1 characters/],
    ['type=order.acepted', /The type "order.acepted" is unknown.*did you mean "order.accepted"/],
    ['realm=other', /The realm "other" is unknown.*known are digital-river/],
    ['endpoint=/hook/', /The endpoint "\/hook\/" is unknown.*did you mean "\/hook"/],
    ['handler=%00', /querystring.handler must match pattern/]
  ]
  for (const [query, message] of wrong) {
    const { status, body } = await json(`events?${query}`, { scopes: ['read', 'reveal'] })
    t.match({ status, body }, { status: 400, body: { statusCode: 400, message } }, query)
    if (query.startsWith('limit')) continue
    for (const path of ['events/count', 'events/tail'])
      t.equal((await json(`${path}?${query}`, { scopes: ['read', 'reveal'] })).status, 400, `${path} ${query}`)
  }
  for (const path of ['events', 'events/count', 'events/tail', 'export', 'failures'])
    t.match(
      await json(`${path}?handler=erpp`),
      { status: 404, body: { message: 'There is no handler "erpp"; did you mean "erp"?' } },
      path
    )
})

t.test('events: pages hold each event once, and a cursor is for its filter only', async (t) => {
  const { json } = await startFilled(t)
  for (const order of ['newest', 'oldest']) {
    const seen: string[] = []
    let after = ''
    do {
      const { body } = await json(`events?type=*&order=${order}&limit=1${after}`)
      seen.push(...idsOf(body))
      after = body['next'] === undefined ? '' : `&after=${String(body['next'])}`
    } while (after !== '')
    t.same(order === 'oldest' ? seen : seen.toReversed(), ['e1', 'e2', 'e3'], order)
  }
  const { body } = await json('events?type=order.*&limit=1')
  const next = String(body['next'])
  t.same(idsOf((await json(`events?after=${next}&limit=2&type=order.*`)).body), ['e1'], 'any order, another limit')
  for (const other of [
    `type=refund.*&after=${next}`,
    `after=${next}`,
    `type=order.*&order=oldest&after=${next}`,
    'after=1.x'
  ])
    t.match(await json(`events?${other}`), { status: 400, body: { message: /begin again without it/ } }, other)
})

t.test('events: a condition for the payload needs the scope that shows payloads', async (t) => {
  const { call } = await startFilled(t)
  for (const path of ['events', 'events/count', 'events/tail']) {
    const answer = await call(`${path}?where=${encodeURIComponent('data.object.email~a')}`, { scopes: ['read'] })
    t.equal(answer.status, 403, path)
    t.match(await answer.json(), { message: /"where" needs the scope "reveal"/ }, path)
  }
  const search = async (query: string) => {
    const answer = await call(`events?${query}`, { scopes: ['read', 'reveal'] })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  t.same(idsOf((await search('where=id%3De1&where=type~ORDER')).body), ['e1'])
  t.same(idsOf((await search('where=id%3De1&type=refund.*')).body), [])
  for (const [query, index] of Object.entries({ 'where=total': 0, 'where=a%3D1&where=__proto__.x%3D1': 1 }))
    t.match(await search(query), {
      status: 400,
      body: { message: new RegExp(`"where" \\[${index}\\] must be a path, an operator`) }
    })
})

t.test('events: an answer has the fields of its schema, and no payload, header or key', async (t) => {
  const { json, call } = await startFilled(t)
  const { body } = await json('events?id=e2')
  const [summary] = body['events'] as Record<string, unknown>[]
  t.same(Object.keys(summary!).sort(), [
    'backfilled',
    'conflicts',
    'createdTime',
    'deliveries',
    'duplicates',
    'endpoint',
    'id',
    'liveMode',
    'realm',
    'receivedAt',
    'resource',
    'source',
    'state',
    'type'
  ])
  t.match(summary, {
    deliveries: [
      { handler: 'mail', state: 'done' },
      { handler: 'erp', state: 'dead', attempts: 1 }
    ]
  })
  const text = await (await call('events', { scopes: ['read'] })).text()
  t.notOk(text.includes('buyer@x.example'))
})

t.test('related events are a timeline', async (t) => {
  const { json } = await startFilled(t)
  t.match(await json('event/related?id=e1'), {
    body: { events: [{ id: 'e1' }, { id: 'e2' }, { id: 'e3' }], more: false }
  })
  t.match(await json('event/related?id=e1&limit=1'), { body: { events: [{ id: 'e3' }], more: true } })
  t.match(await json('event/related?id=none'), {
    status: 404,
    body: { code: 'RIVERHOOK_ADMIN_NOT_FOUND', message: /no event with this id/ }
  })
})

// Risk: a mismatch that a person has judged warns for ever.
t.test('a mismatch is acknowledged and reopened', async (t) => {
  const { json, inbox } = await startFilled(t)
  const kind = { realm: 'digital-river', type: 'order.accepted', path: 'data.object.x', rule: 'type', handler: '' }
  const at = new Date()
  await inbox.flag([{ ...kind, count: 1, firstAt: at, lastAt: at, eventId: 'e1' }])
  const countOpen = async () => (await json('stats')).body['mismatches']
  t.equal(await countOpen(), 1)
  const path = 'mismatches/acknowledged'
  const put = { method: 'PUT', scopes: ['operate'], body: kind } as const
  t.match(await json(path, put), { status: 200, body: { changed: true } })
  t.match(await json(path, put), { body: { changed: false } })
  t.match(await json('mismatches'), { body: { mismatches: [{ path: kind.path, acknowledgedAt: /Z$/ }] } })
  t.equal(await countOpen(), 0)
  const query = new URLSearchParams(kind).toString()
  t.match(await json(`${path}?${query}`, { method: 'DELETE', scopes: ['operate'] }), { body: { changed: true } })
  t.equal(await countOpen(), 1)
  t.match(await json(path, { ...put, body: { ...kind, path: undefined } }), { status: 400 })
})

// Risk: an alarm that a person knows of wakes the next one, too.
t.test('an alarm is acknowledged and reopened', async (t) => {
  const { json, inbox } = await startFilled(t, undefined, { alarms: false })
  const { token = 0 } = await inbox.holdAlarms({ owner: 'server', leaseMs: 60_000 })
  const reported = { at: 1, step: 1 }
  const entry = { condition: 'dead', subject: 'erp', level: 'warn', text: '1 dead letter', step: 1, since: 1, reported }
  const unchecked = [{ condition: 'failing', since: 1, reason: 'the log says why' }]
  await inbox.saveAlarms({ token, leaseMs: 60_000, state: JSON.stringify({ entries: [entry], unchecked }) })
  const states = async () => {
    const alarms = (await json('alarms')).body['alarms'] as readonly { readonly state: string }[]
    return alarms.map(({ state }) => state)
  }
  t.same(await states(), ['raised', 'unchecked'])
  t.match(await json('alarms'), { body: { alarms: [{}, { text: 'cannot be checked: the log says why' }] } })
  const path = 'alarms/acknowledged'
  const key = { condition: 'dead', subject: 'erp', since: new Date(1).toISOString() }
  const put = { method: 'PUT', scopes: ['operate'], body: key } as const
  t.match(await json(path, { ...put, scopes: ['read'] }), { status: 403 })
  t.match(await json(path, { ...put, body: { ...key, since: new Date(2).toISOString() } }), {
    body: { changed: false }
  })
  t.match(await json(path, put), { status: 200, body: { changed: true } })
  t.match(await json(path, put), { body: { changed: false } })
  t.same(await states(), ['acknowledged', 'unchecked'])
  const query = new URLSearchParams(key).toString()
  t.match(await json(`${path}?${query}`, { method: 'DELETE', scopes: ['operate'] }), { body: { changed: true } })
  t.same(await states(), ['raised', 'unchecked'])
  t.match((await inbox.audits({ limit: 9 })).entries, [{ action: 'alarms.reopen', target: 'dead erp' }])
  t.match(await json(path, { ...put, body: { ...key, condition: undefined } }), { status: 400 })
})

t.test('handlers, counts and the store', async (t) => {
  const { json, inbox, send } = await startFilled(t)
  await inbox.pause('erp')
  await send(about('e4', { id: 'O-4' }, 'refund.complete'), 'e4')
  const { body } = await json('handlers')
  const handlers = body['handlers'] as { readonly name: string; readonly deliveries: object }[]
  t.match(
    handlers.find(({ name }) => name === 'erp'),
    {
      source: 'digital-river',
      pattern: 'order.*',
      ordered: true,
      pausedSince: /Z$/,
      deliveries: { pending: 0, dead: 2 },
      lengths: { attempts: 2, p50Ms: Number, p95Ms: Number }
    }
  )
  t.match(await json('stats'), {
    body: {
      events: 4,
      quarantined: 1,
      deliveries: { done: 4, dead: 2 },
      failing: [],
      lost: { deliveries: 0, runs: 0 },
      isPartial: false,
      pauses: [{ handler: 'erp', since: /Z$/ }],
      lastDay: {
        refused: [],
        attempts: [
          { handler: 'erp', done: 0, failed: 2, lost: 0 },
          { handler: 'mail', done: 4, failed: 0, lost: 0 }
        ]
      }
    }
  })
  t.match(await json('inbox'), { body: { engine: 'sqlite', version: /^\d+\./, oldestEventAt: /Z$/ } })
  t.same((await json('registrations')).body, { registrations: [] })
  t.match(await json('backfills'), { body: { watermarks: [{ realm, name: 'served digital-river', at: /Z$/ }] } })
  const series = await json('series?since=1h&kind=attempt&step=minute')
  t.match(series.body, { step: 'minute' })
  const rows = series.body['rows'] as { readonly name: string; readonly outcome: string; readonly count: number }[]
  const total = (name: string) => rows.filter((row) => row.name === name).reduce((sum, { count }) => sum + count, 0)
  t.same([total('mail'), total('erp')], [4, 2])
  t.equal((await json('series?since=tomorrow')).status, 400)
})

t.test('failures are one line for each handler and error, with the filter that replays them', async (t) => {
  const { json } = await startFilled(t)
  const { status, body } = await json('failures')
  t.equal(status, 200)
  t.match(body, {
    failures: [
      {
        handler: 'erp',
        error: /^PermanentError: the ERP has no order e#$/,
        dead: 2,
        retrying: 0,
        events: 2,
        oldest: /Z$/,
        newest: /Z$/,
        example: { realm, id: 'e2' },
        replay: { handler: 'erp', state: 'dead', since: /Z$/, until: /Z$/ },
        alsoReplays: 0
      }
    ],
    more: 0,
    isPartial: false
  })
  t.match(await json('failures?handler=mail&since=1h&limit=1'), { status: 200, body: { failures: [], more: 0 } })
  t.equal((await json('failures?since=never')).status, 400)
  t.equal((await json('failures?limit=0')).status, 400)
})
