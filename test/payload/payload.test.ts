import { join } from 'node:path'
import Fastify from 'fastify'
import t, { type Test } from 'tap'

import { digitalRiver, eventType, riverhook, type RiverhookOptions, type Source } from '../../src/index.ts'
import { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import { PayloadChecks } from '../../src/payload/checks.ts'
import { Registry, type HandlerOptions } from '../../src/handlers/registry.ts'
import { createDigitalRiver, createTestReceiver } from '../../src/testing/index.ts'
import { cliHere } from '../cli/rig.ts'
import { makeFolder } from '../folder.ts'
import { event } from '../receive/receiver.ts'

// Risk: a change of the provider's payloads that is noticed late, or that refuses events unexpectedly.

const orderSchema = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    state: { type: 'string', enum: ['accepted', 'blocked'] },
    items: { type: 'array', items: { type: 'object', properties: { quantity: { type: 'integer' } } } },
    note: { anyOf: [{ type: 'string' }, { type: 'null' }] }
  },
  required: ['id']
}

const source: Source = { ...digitalRiver(), schemaOf: (type) => (type.startsWith('order.') ? orderSchema : undefined) }

function checksOf(): PayloadChecks {
  return new PayloadChecks({
    knownTypes: new Set(['order.accepted', 'sku.created']),
    schemaOf: (type) => source.schemaOf?.(type)
  })
}

function eventOf(object: Record<string, unknown>, type = 'order.accepted') {
  return { id: 'e1', type, data: { object }, liveMode: false, createdTime: '2026-01-01T00:00:00Z' }
}

const wrong = {
  state: 'lost',
  items: [{ quantity: 1.5 }, { quantity: 'two' }, { quantity: 2 }],
  note: 7,
  more: 'secret value'
}

t.test('each kind of mismatch is named by its path and rule, once, and never with a value', async (t) => {
  const { mismatches, isRejected } = checksOf().check(eventOf(wrong), [], 'flag')
  t.equal(isRejected, false)
  t.same(mismatches.map(({ path, rule }) => `${path} ${rule}`).sort(), [
    'data.object.id required',
    'data.object.items[].quantity type',
    'data.object.note anyOf',
    'data.object.state enum'
  ])
  t.notMatch(JSON.stringify(mismatches), /lost|two|secret/)
  t.same(
    checksOf().check(eventOf({ id: '1', more: { a: 1 } }), [], 'flag').mismatches,
    [],
    'additional fields are allowed'
  )
})

t.test(
  'a failed choice reports the branch for the type of the value; without exactly one, the choice itself',
  async (t) => {
    const one = {
      type: 'object',
      properties: { state: { enum: ['accepted'] }, total: { type: 'number' } },
      required: ['total']
    }
    const found = (schema: object, value: unknown): string[] => {
      const checks = new PayloadChecks({ knownTypes: new Set(), schemaOf: () => ({ properties: { part: schema } }) })
      return checks.check(eventOf({ part: value }), [], 'reject').mismatches.map(({ path, rule }) => `${path} ${rule}`)
    }
    for (const choice of ['anyOf', 'oneOf']) {
      const oneOrMany = { [choice]: [one, { type: 'array', items: one }] }
      t.same(found(oneOrMany, { total: '1' }), ['data.object.part.total type'])
      t.same(found(oneOrMany, [{ total: 1, state: 'new' }]), ['data.object.part[].state enum'])
      t.same(found(oneOrMany, 'text'), [`data.object.part ${choice}`])
      t.same(found({ [choice]: [{ const: 'a' }, { const: 'b' }] }, 'c'), [`data.object.part ${choice}`])
      t.same(
        found({ [choice]: [{ type: 'object', properties: { parts: oneOrMany } }, { type: 'null' }] }, { parts: {} }),
        ['data.object.part.parts.total required']
      )
    }
    t.same(
      found({ oneOf: [{ type: 'number' }, { minimum: 1 }, { maximum: 0 }] }, 5),
      ['data.object.part oneOf'],
      'too many branches hold'
    )
  }
)

t.test('a type without a schema agrees; an unknown type is reported, and never refused', async (t) => {
  t.same(checksOf().check(eventOf({ a: 1 }, 'sku.created'), [], 'reject').mismatches, [])
  const told = { mismatches: [{ path: '', rule: 'unknown_type', handler: '' }], isRejected: false }
  for (const mode of ['flag', 'reject', 'off'] as const)
    t.same(checksOf().check(eventOf({ a: 1 }, 'new.type'), [], mode), told, mode)
  const silent = new PayloadChecks({ knownTypes: new Set(), schemaOf: () => undefined })
  t.same(
    silent.check(eventOf({}, 'new.type'), [], 'flag').mismatches,
    [],
    'a provider without a list of types has no unknown ones'
  )
})

t.test('a new type that a handler names through eventType() is not reported', async (t) => {
  const registry = new Registry()
  registry.on('new.*', () => undefined)
  t.match(checksOf().check(eventOf({}, 'new.type'), registry.for('new.type'), 'flag').mismatches, [
    { rule: 'unknown_type' }
  ])
  registry.on(eventType('new.type'), () => undefined)
  t.same(checksOf().check(eventOf({}, 'new.type'), registry.for('new.type'), 'flag').mismatches, [])
})

// Risk: three seconds for each request, at each retry of one event.
t.test(
  'a payload with tens of thousands of mismatches costs no more than a valid one, and is still a mismatch',
  async (t) => {
    const registry = new Registry()
    const item = {
      type: 'object',
      required: ['a', 'b', 'c'],
      properties: { a: { type: 'string' }, parts: { $ref: '#/definitions/list' } }
    }
    const schema = {
      properties: {
        list: { $ref: '#/definitions/list' },
        map: { additionalProperties: { type: 'string' } },
        set: { uniqueItems: true },
        size: { minItems: 300 },
        either: { anyOf: [{ type: 'array', minItems: 300 }, { type: 'null' }] }
      },
      definitions: { list: { type: 'array', items: { $ref: '#/definitions/item' } }, item }
    }
    registry.on('sku.created', { name: 'erp', schema, validate: 'reject' }, () => undefined)
    const checks = checksOf()
    const found = (object: Record<string, unknown>, type = 'sku.created') => {
      const { mismatches, isRejected } = checks.check(eventOf(object, type), registry.for(type), 'flag')
      return [isRejected, ...mismatches.map(({ path, rule }) => `${path} ${rule}`)]
    }
    const many = <Item>(count: number, make: (index: number) => Item) =>
      Array.from({ length: count }, (_, index) => make(index))
    const required = ['a', 'b', 'c'].map((field) => `data.object.list[].${field} required`)
    t.same(found({ list: many(20_000, () => ({})) }), [true, ...required])
    t.same(found({ list: many(250, () => ({ a: '', b: 1, c: 1, parts: many(100, () => ({ a: 1, b: 1, c: 1 })) })) }), [
      true,
      'data.object.list[].parts[].a type'
    ])
    t.same(
      found({ list: [...many(10_000, () => ({ a: '', b: 1, c: 1 })), {}] }),
      [true, 'data.object.list[].a required'],
      'the last of a long list'
    )
    t.same(found({ map: Object.fromEntries(many(10_000, (index) => [`key${index}`, index])) }), [
      true,
      'data.object.map.* type'
    ])
    t.same(
      found({
        map: Object.fromEntries([
          ['k'.repeat(500_000), 1],
          ...many(1_000, (index): [string, unknown] => [`key${index}`, index])
        ])
      }),
      [true, 'data.object.map.* type']
    )
    t.same(found({ items: many(50_000, () => 1), id: '1' }, 'order.accepted'), [false, 'data.object.items[] type'])
    const right = {
      size: many(300, () => 1),
      either: many(300, () => 1),
      set: many(10_000, (index) => ({ index })),
      list: many(1_000, () => ({ a: '', b: 1, c: 1 }))
    }
    t.same(found(right), [false])
    t.same(
      found({ ...right, set: [...right.set, { index: 7 }] }),
      [true, 'data.object.set uniqueItems'],
      'and no field that only the excerpt lacks'
    )
    t.same(
      found({
        ...right,
        set: [
          { a: 1, b: [2] },
          { b: [2], a: 1 }
        ]
      }),
      [true, 'data.object.set uniqueItems']
    )
    t.same(found({ ...right, set: [1, '1', null, 'null', { a: 1 }, { a: '1' }, [1]] }), [false])
  }
)

t.test(
  'a payload that nests deeper than a recursive schema can follow is a mismatch, and no internal error',
  async (t) => {
    const registry = new Registry()
    registry.on(
      'sku.created',
      { name: 'tree', schema: { type: 'object', properties: { leaf: { $ref: '#' }, name: { type: 'string' } } } },
      () => undefined
    )
    const nested = (depth: number, end: unknown) => {
      let value = end
      for (let level = 0; level < depth; level += 1) value = { leaf: value }
      return checksOf().check(
        eventOf(value as Record<string, unknown>, 'sku.created'),
        registry.for('sku.created'),
        'reject'
      )
    }
    t.same(nested(200_000, {}), {
      isRejected: true,
      mismatches: [{ path: 'data.object', rule: 'depth', handler: 'tree' }]
    })
    const { mismatches } = nested(1_000, { name: 1 })
    t.equal(mismatches.length, 1)
    t.match(mismatches[0]!.path, /^data\.object(\.leaf)+/)
    t.ok(mismatches[0]!.path.length < 270, 'the remembered list is short')
  }
)

t.test(
  'schemas of the provider: with one $id in several plugins, with unknown formats, and for any number of types',
  async (t) => {
    const schemaOf = () => ({
      $id: 'https://example.com/thing',
      type: 'object',
      properties: { at: { type: 'string', format: 'moment', unheardOf: true } },
      required: ['id']
    })
    const checks = new PayloadChecks({ knownTypes: new Set(), schemaOf })
    for (let index = 0; index < 2_100; index += 1)
      checks.check(eventOf({ id: '1', at: 'now' }, `thing.${index}`), [], 'flag')
    t.same(checks.check(eventOf({ at: 'now' }, 'thing.1'), [], 'flag').mismatches, [
      { path: 'data.object.id', rule: 'required', handler: '' }
    ])
  }
)

t.test('modes: that of the endpoint, and of its handlers the strictest', async (t) => {
  const check = (mode: 'flag' | 'reject' | 'off', ...handlers: HandlerOptions[]) => {
    const registry = new Registry()
    for (const [index, options] of handlers.entries())
      registry.on('order.*', { name: String(index), ...options }, () => undefined)
    const { mismatches, isRejected } = checksOf().check(eventOf(wrong), registry.for('order.accepted'), mode)
    return isRejected ? 'rejected' : mismatches.length > 0 ? 'flagged' : 'agreed'
  }
  t.equal(check('flag'), 'flagged')
  t.equal(check('reject'), 'rejected')
  t.equal(check('off'), 'agreed')
  t.equal(check('flag', { validate: 'reject' }, { validate: 'off' }), 'rejected')
  t.equal(check('reject', { validate: 'off' }), 'agreed')
  t.equal(check('off', {}, { validate: 'flag' }), 'flagged')
})

t.test("an undocumented value or format is reported and accepted; a handler's own schema may refuse it", async (t) => {
  const registry = new Registry()
  const unheard = eventOf({ id: '1', state: 'teleported' })
  t.match(checksOf().check(unheard, [], 'reject'), {
    isRejected: false,
    mismatches: [{ path: 'data.object.state', rule: 'enum' }]
  })
  registry.on('order.*', { schema: { properties: { state: { enum: ['accepted'] } } } }, () => undefined)
  t.match(checksOf().check(unheard, registry.for('order.accepted'), 'reject'), { isRejected: true })
})

t.test("a handler's own schema is named, and has its own mode", async (t) => {
  const registry = new Registry()
  registry.on(
    'sku.created',
    { name: 'erp', schema: { type: 'object', required: ['price'] }, validate: 'reject' },
    () => undefined
  )
  registry.on('sku.created', { name: 'mail', schema: { type: 'object', required: ['title'] } }, () => undefined)
  const checks = checksOf()
  checks.prepare(registry.all)
  const verdict = checks.check(eventOf({}, 'sku.created'), registry.for('sku.created'), 'flag')
  t.same(verdict, {
    isRejected: true,
    mismatches: [
      { path: 'data.object.price', rule: 'required', handler: 'erp' },
      { path: 'data.object.title', rule: 'required', handler: 'mail' }
    ]
  })
  const broken = new Registry()
  broken.on('*', { name: 'broken', schema: { type: 'nothing' } }, () => undefined)
  t.throws(
    () => {
      checksOf().prepare(broken.all)
    },
    { code: 'RIVERHOOK_OPTIONS_INVALID', message: /Handler "broken": option "schema" is not a JSON Schema/ }
  )
  t.throws(() => {
    broken.on('*', { name: 'x', schema: 'object' as never }, () => undefined)
  }, /option "schema" must be a JSON Schema/)
})

async function start(t: Test, options: Omit<RiverhookOptions, 'handlers'>) {
  const receiver = await createTestReceiver({
    source,
    handlers: (registrar) => {
      registrar.on('*', { name: 'all' }, () => undefined)
    },
    ...options
  })
  t.teardown(() => receiver.close())
  return receiver
}

t.test('flag: accepted and handled; each kind is logged once', async (t) => {
  const receiver = await start(t, {})
  for (const _ of [1, 2, 3])
    t.match(await receiver.send({ type: 'order.accepted', data: { object: { ...wrong, id: undefined } } }), {
      status: 202,
      deliveries: [{ state: 'done' }]
    })
  const lines = receiver.log.filter(({ msg }) => msg.includes('riverhook drift'))
  t.same(lines.map(({ path }) => path).sort(), [
    'data.object.id',
    'data.object.items[].quantity',
    'data.object.note',
    'data.object.state'
  ])
  t.notMatch(JSON.stringify(receiver.log), /secret value/)
  await receiver.send({ type: 'brand.new' })
  t.match(
    receiver.log.find(({ msg }) => msg.includes('unknown event type')),
    { event_type: 'brand.new', level: 40 }
  )
})

t.test('reject: 400 that names the fields, and quarantined', async (t) => {
  const receiver = await start(t, { validate: 'reject' })
  const { status, body } = await receiver.send({
    type: 'order.accepted',
    data: { object: { ...wrong, id: undefined } }
  })
  t.equal(status, 400)
  t.match(body, { code: 'RIVERHOOK_RECEIVE_BAD_PAYLOAD', message: /data\.object\.id \(required\)/ })
  t.notMatch(JSON.stringify(body), /lost|secret/)
  t.match((await receiver.inbox.events({ state: 'quarantined', limit: 5 })).events, [
    { reason: /data\.object\.state \(enum\)/ }
  ])
  t.equal((await receiver.send({ type: 'order.accepted', data: { object: { id: '1' } } })).status, 202)
})

t.test('the counts are in the inbox, including those of other processes, and the command shows them', async (t) => {
  const path = join(makeFolder(t), 'inbox.db')
  const run = async (ids: readonly string[]) => {
    const log: string[] = []
    const app = Fastify({
      logger: {
        stream: {
          write: (line: string) => {
            log.push(line)
          }
        }
      }
    })
    await app.register(riverhook, {
      path: '/hook',
      basicAuth: { username: 'u', password: 'p' },
      source,
      inbox: `sqlite:${path}`
    })
    await app.ready()
    for (const id of ids) {
      const payload = event({ id, data: { object: { id: '1', state: 'lost' } } })
      const answer = await app.inject({
        method: 'POST',
        url: '/hook',
        payload,
        headers: { 'content-type': 'application/json', authorization: `Basic ${btoa('u:p')}` }
      })
      t.equal(answer.statusCode, 202)
    }
    await app.close()
    return log.filter((line) => line.includes('riverhook drift')).length
  }
  t.equal(await run(['e1', 'e2']), 1)
  t.equal(await run(['e3']), 0, 'a known kind is not logged again')
  const inbox = sqliteInbox({ path, role: 'command' })
  await inbox.open()
  t.match(await inbox.drifts(), [
    { type: 'order.accepted', path: 'data.object.state', rule: 'enum', handler: '', count: 3, eventId: 'e3' }
  ])
  await inbox.close()
  const shown = await cliHere(['drift', '--inbox', `sqlite:${path}`])
  t.match(shown.stdout, /order\.accepted +data\.object\.state +enum +Digital River +3 .* e3/)
  t.match(JSON.parse((await cliHere(['drift', '--json', '--inbox', `sqlite:${path}`])).stdout), {
    count: 3,
    rule: 'enum'
  })
})

t.test('a backfilled event is checked too', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(riverhook, {
    secrets: 'whk_a',
    source,
    inbox: 'memory:',
    validate: 'reject',
    backfill: { apiKey: river.apiKey, apiUrl: river.url }
  })
  await app.ready()
  const createdTime = new Date(Date.now() - 60_000).toISOString()
  river.list('order.accepted', { createdTime, data: { object: { id: 1, state: 'accepted' } } })
  river.list('order.accepted', { createdTime, data: { object: { id: '1', state: 'accepted' } } })
  t.match(await app.riverhook.backfill({ since: new Date(Date.now() - 3_600_000) }), {
    listed: 2,
    recovered: 1,
    quarantined: 1
  })
})
