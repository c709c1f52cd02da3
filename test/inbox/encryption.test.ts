import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t, { type Test } from 'tap'

import { copyInbox, openInbox, type Inbox } from '../../src/index.ts'
import { readEncryptionKeys } from '../../src/model/encryption-keys.ts'
import { countEncrypted, encryptInbox, reencryptInbox } from '../../src/inbox/open-inbox.ts'
import { memoryInbox } from '../../src/inbox/memory/engine.ts'
import { makeFolder } from '../folder.ts'
import { keyOf, realm } from '../event-keys.ts'
import { arrival, quarantined } from './arrivals.ts'
import { claim, settleAll } from './contract.ts'

// Risk: personal data can be read in the file, a changed event reaches a handler, or events cannot be read any more.

const inFolder = (folder: string, name = 'inbox.db'): string => `sqlite:${join(folder, name)}`
const pathOf = (address: string): string => address.slice('sqlite:'.length)
const newKey = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`
const [k1, k2] = [newKey('k1'), newKey('k2')]
const marker = 'Mrs-Personal-Data'

async function opened(t: Test, address: string, keys?: readonly string[], role: 'server' | 'command' = 'server') {
  const inbox = openInbox(address, { role, ...(keys && { encryption: { keys } }) })
  await inbox.open()
  t.teardown(() => inbox.close())
  return inbox
}

const body = (id: string) => Buffer.from(JSON.stringify({ id, name: marker }))
const marked = (id: string, handlers: readonly string[] = ['ship']) => ({
  ...arrival(id, handlers),
  body: body(id),
  headers: { 'x-name': marker },
  about: [marker.toLowerCase(), `order-${id}`],
  resource: marker,
  deliveries: handlers.map((handler) => ({ handler, orderKey: `${marker} of ${handler}` }))
})

/** Returns the same engine as another object. */
function openAgain(engine: Inbox): Inbox {
  return new Proxy(engine, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}

/** Stores personal data in every field that can have some. */
async function fill(inbox: Inbox): Promise<void> {
  await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*', ordered: true }])
  await inbox.record([marked('1'), marked('2'), marked('3'), quarantined('q', { body: body('q'), reason: marker })])
  const [first] = await claim(inbox, ['ship'])
  await settleAll(inbox, [first!], { state: 'dead', error: `Error: ${marker}` })
  const [second] = await claim(inbox, ['ship'])
  await settleAll(inbox, [second!], { state: 'retry', error: marker, dueAt: new Date(9e12), releaseKey: false })
  const filter = { about: marker, error: marker, where: [`name=${marker}`] }
  const actor = { name: 'x', via: 'code' } as const
  const upTo = await inbox.position()
  await inbox.addJob({ kind: 'replay', filter, includeDone: false, upTo, planned: 1, actor })
}

async function expectWhole(t: Test, inbox: Inbox): Promise<void> {
  const detail = (await inbox.event(keyOf('1')))!
  t.ok(Buffer.from(detail.body).equals(body('1')))
  t.match(detail, { headers: { 'x-name': marker }, about: [marker.toLowerCase(), 'order-1'], resource: marker })
  t.match(detail.deliveries, [{ orderKey: `${marker} of ship`, lastError: `Error: ${marker}`, state: 'dead' }])
  t.match(detail.deliveries[0]!.attemptLog, [{ error: `Error: ${marker}` }])
  t.equal((await inbox.event({ realm, id: 'q' }))!.reason, marker)
  t.match(await inbox.record([marked('1'), marked('2')]), ['duplicate', 'duplicate'])
  t.equal((await inbox.stats()).conflicts, 0)
}

/** True if the file or its log has the marker, in any case, in UTF-8 or UTF-16. */
function isReadable(address: string): boolean {
  const contents = ['', '-wal'].map((end) => {
    try {
      return readFileSync(pathOf(address) + end)
    } catch {
      return Buffer.alloc(0)
    }
  })
  return contents.some((content) =>
    [marker, marker.toLowerCase()].some(
      (text) => content.includes(text) || content.includes(Buffer.from(text, 'utf16le'))
    )
  )
}

t.test('no personal data is in the file, and all of it can be read with the key', async (t) => {
  const address = inFolder(makeFolder(t))
  const inbox = await opened(t, address, [k1])
  await fill(inbox)
  t.notOk(isReadable(address), 'while the server runs')
  await expectWhole(t, inbox)
  const { events } = await inbox.events({ about: marker.toUpperCase(), limit: 10 })
  t.same(
    events.map(({ id }) => id),
    ['3', '2', '1']
  )
  t.match(await inbox.jobs({ limit: 1 }), [{ filter: { about: marker, error: marker, where: [`name=${marker}`] } }])
  t.match(await inbox.failed({ limit: 5 }), [{ error: marker }, { error: `Error: ${marker}` }])
  await inbox.close()
  t.notOk(isReadable(address))
})

t.test('an inbox that is encrypted cannot be opened without its keys', async (t) => {
  const address = inFolder(makeFolder(t))
  const inbox = await opened(t, address, [k1])
  await fill(inbox)
  await inbox.close()
  for (const role of ['server', 'command'] as const) {
    await t.rejects(opened(t, address, undefined, role), { code: 'RIVERHOOK_INBOX_KEY', message: /"k1"/ })
    await t.rejects(opened(t, address, [k2], role), { code: 'RIVERHOOK_INBOX_KEY', message: /"k1"/ })
    await t.rejects(opened(t, address, [newKey('k1')], role), { code: 'RIVERHOOK_INBOX_KEY', message: /another value/ })
  }
  await expectWhole(t, await opened(t, address, [k1]))
})

t.test('encryption begins, continues with a new key, and ends, beside a running server', async (t) => {
  const address = inFolder(makeFolder(t))
  const countsOf = async (inbox: Inbox) => Object.fromEntries(await countEncrypted(inbox))
  const reencrypted = async (keys: readonly string[]) => {
    const command = await opened(t, address, keys, 'command')
    const report = await reencryptInbox(command, { keys })
    t.same(report.damaged, [])
    await command.scrub()
    const counts = await countsOf(command)
    await command.close()
    return counts
  }
  /** As its owner may do, and as a backup does. */
  const vacuum = (): void => {
    const db = new DatabaseSync(pathOf(address))
    db.exec('VACUUM')
    db.close()
  }
  let server = await opened(t, address)
  await fill(server)
  await server.close()
  t.ok(isReadable(address), 'the test can find it')

  server = await opened(t, address, [k1])
  await expectWhole(t, server)
  await t.rejects(server.events({ about: marker, limit: 1 }), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /reencrypt/
  })
  await server.record([marked('4')])
  await server.replay([{ event: keyOf('1'), handler: 'ship' }])
  const line = await claim(server, ['ship'])
  t.same(
    line.map(({ orderKey, event }) => [orderKey, event.id]),
    [[`${marker} of ship`, '1']],
    'one line has old and new deliveries'
  )
  await settleAll(server, line, { state: 'dead', error: `Error: ${marker}` })
  t.ok(await server.stopJob(1), 'a job keeps its filter until it ends')
  t.same(await reencrypted([k1]), { k1: 5 })
  await server.close()
  vacuum()
  t.notOk(isReadable(address), 'begun')

  server = await opened(t, address, [k2, k1])
  await server.record([marked('5')])
  await expectWhole(t, server)
  t.same(await reencrypted([k2, k1]), { k2: 6 })
  await server.close()
  vacuum()
  t.notOk(isReadable(address), 'with a new key')

  server = await opened(t, address, [k2])
  await expectWhole(t, server)
  t.equal((await server.events({ about: marker, limit: 10 })).events.length, 5)
  await server.close()

  server = await opened(t, address, ['plain', k2])
  await server.record([marked('6')])
  await expectWhole(t, server)
  t.same(await reencrypted(['plain', k2]), { 'plain text': 7 })
  await server.close()
  server = await opened(t, address)
  await expectWhole(t, server)
  t.equal((await server.events({ about: `${marker}*`, limit: 10 })).events.length, 6)
})

t.test('a body that was changed or swapped in the file reaches no handler', async (t) => {
  const address = inFolder(makeFolder(t))
  const inbox = await opened(t, address, [k1])
  await inbox.record(['1', '2', '3', '4'].map((id) => ({ ...arrival(id, ['ship']), body: body(id) })))
  await inbox.close()
  const db = new DatabaseSync(pathOf(address))
  const bodyOf = (id: string) =>
    Buffer.from(db.prepare('SELECT body FROM event WHERE id = ?').get(id)!['body'] as Uint8Array)
  const setBody = (id: string, to: Uint8Array) => db.prepare('UPDATE event SET body = ? WHERE id = ?').run(to, id)
  const [one, two, three] = [bodyOf('1'), bodyOf('2'), bodyOf('3')]
  setBody('1', two)
  setBody('2', one)
  three[three.length - 20]! ^= 1
  setBody('3', three)
  db.close()
  const again = await opened(t, address, [k1])
  const claimed = await claim(again, ['ship'])
  t.same(
    claimed.map(({ event }) => [event.id, event.unreadable?.code, Buffer.from(event.body).toString()]),
    [
      ['1', 'RIVERHOOK_INBOX_DAMAGED', ''],
      ['2', 'RIVERHOOK_INBOX_DAMAGED', ''],
      ['3', 'RIVERHOOK_INBOX_DAMAGED', ''],
      ['4', undefined, body('4').toString()]
    ]
  )
  for (const id of ['1', '2', '3']) await t.rejects(again.event(keyOf(id)), { code: 'RIVERHOOK_INBOX_DAMAGED' })
  t.equal((await again.events({ limit: 10 })).events.length, 4, 'they are listed')
  const { damaged } = await reencryptInbox(again, { keys: [k1] })
  t.same(
    damaged.map(({ id }) => id),
    ['1', '2', '3']
  )
})

t.test('a bit of any place of a body is noticed', async (t) => {
  const inner = memoryInbox()
  const inbox = encryptInbox(inner, { keys: k1 })
  await inbox.open()
  await inbox.record([{ ...arrival('1'), body: Buffer.from('x') }])
  const stored = (await inner.event(keyOf('1')))!
  for (let at = 0; at < stored.body.byteLength; at += 1) {
    const changed = Uint8Array.from(stored.body)
    changed[at]! ^= 1
    const other = encryptInbox(memoryInbox(), { keys: k1 })
    await other.open()
    await other.saveEncryption(await other.encryption(), await inner.encryption())
    const copy = memoryInbox()
    await copy.open()
    await copy.saveEncryption(undefined, await inner.encryption())
    await copy.restore([{ ...stored, body: changed }])
    const read = encryptInbox(copy, { keys: k1 })
    await read.open()
    const result = await read.event(keyOf('1')).then(
      (detail) => Buffer.from(detail!.body).toString(),
      (error: unknown) => (error as { code: string }).code
    )
    t.not(result, 'x', `byte ${at}`)
  }
})

t.test('an event that names a key that is not in use keeps no other one from being encrypted', async (t) => {
  const inner = memoryInbox()
  await inner.open()
  const alike = Buffer.concat([Buffer.from([0xf5, 0x72, 0x68, 0x01, 2]), Buffer.from('zz, and other bytes')])
  await inner.adopt([{ name: 'ship', source: 'digital-river', pattern: '*', ordered: true }])
  await inner.record([quarantined('q', { body: alike }), { ...marked('1'), body: alike }, marked('2')])
  const inbox = encryptInbox(inner, { keys: k1 })
  await inbox.open()
  const { damaged } = await reencryptInbox(inbox, { keys: k1 })
  t.same(
    damaged.map(({ id }) => id),
    ['q', '1']
  )
  t.equal((await countEncrypted(inbox)).get('k1'), 1)
  t.ok(Buffer.from((await inbox.event(keyOf('2')))!.body).equals(body('2')))

  // As another process, which has just added a key.
  const other = encryptInbox(openAgain(inner), { keys: [k2, k1] })
  await other.record([marked('3')])
  await t.rejects(inbox.replay([{ event: keyOf('3'), handler: 'ship' }]), {
    code: 'RIVERHOOK_INBOX_KEY',
    message: /"k2"/
  })
})

t.test('a reencryption that ends at any event leaves all of them readable, and can be repeated', async (t) => {
  const inner = memoryInbox()
  const plain = encryptInbox(inner, { keys: ['plain', k1] })
  await plain.open()
  await plain.record(['1', '2', '3', '4'].map((id) => marked(id)))
  for (let changes = 0; changes < 5; changes += 1) {
    const copy = memoryInbox()
    await copy.open()
    for (const id of ['1', '2', '3', '4']) await copy.restore([(await inner.event(keyOf(id)))!])
    const reseal = copy.reseal.bind(copy)
    const inbox = encryptInbox(copy, { keys: k1 })
    await inbox.open()
    let left = changes
    copy.reseal = async (all) => {
      let done = 0
      for (const one of all) {
        if (left === 0) throw new Error('killed')
        left -= 1
        done += await reseal([one])
      }
      return done
    }
    await reencryptInbox(inbox, { keys: k1 }).catch((error: unknown) => {
      t.match(error, { message: 'killed' })
    })
    copy.reseal = reseal
    for (const id of ['1', '2', '3', '4']) {
      const detail = (await inbox.event(keyOf(id)))!
      t.ok(Buffer.from(detail.body).equals(body(id)))
      t.match(detail, { resource: marker, deliveries: [{ orderKey: `${marker} of ship` }] })
    }
    t.match(await inbox.record(['1', '2', '3', '4'].map((id) => marked(id))), Array(4).fill('duplicate'))
    await reencryptInbox(inbox, { keys: k1 })
    t.same(Object.fromEntries(await countEncrypted(inbox)), { k1: 4 })
  }
})

t.test('events are copied between encrypted inboxes and those in plain text', async (t) => {
  const folder = makeFolder(t)
  const from = await opened(t, inFolder(folder, 'from.db'), [k1])
  await fill(from)
  const plain = await opened(t, inFolder(folder, 'plain.db'))
  t.match(await copyInbox({ from, to: plain }), { seen: 4, copied: 4 })
  await expectWhole(t, plain)
  const address = inFolder(folder, 'other.db')
  const to = await opened(t, address, [k2])
  t.match(await copyInbox({ from: plain, to }), { seen: 4, copied: 4 })
  await expectWhole(t, to)
  t.same(Object.fromEntries(await countEncrypted(to)), { k2: 4 })
  t.notOk(isReadable(address))
})

t.test('a quarantined request is accepted later, and an event is erased', async (t) => {
  const address = inFolder(makeFolder(t))
  const inbox = await opened(t, address, [k1])
  await inbox.record([quarantined('q', { body: body('7'), reason: marker, headers: { 'x-name': marker } })])
  const admission = {
    request: { realm, id: 'q' },
    type: 'order.accepted',
    about: [marker],
    deliveries: [{ handler: 'ship' }]
  }
  t.same(await inbox.admit([{ ...admission, id: '7' }]), ['accepted'])
  const [claimed] = await claim(inbox, ['ship'])
  t.ok(Buffer.from(claimed!.event.body).equals(body('7')))
  t.same(claimed!.event.headers, { 'x-name': marker })
  await settleAll(inbox, [claimed!], { state: 'done' })
  await inbox.record([quarantined('r', { body: body('7'), reason: marker })])
  t.same(await inbox.admit([{ ...admission, request: { realm, id: 'r' }, id: '7' }]), ['duplicate'])
  const { events } = await inbox.events({ about: marker, limit: 10 })
  t.equal(await inbox.erase(events), 1)
  t.match(await inbox.event(keyOf('7')), { state: 'erased', about: [], resource: undefined, headers: {} })
})

t.test('keys are read line by line, and an error names the line and no value', (t) => {
  const wrong = (lines: string, message: RegExp): void => {
    const result = readEncryptionKeys(lines)
    t.type(result, 'string')
    t.match(result, message)
    t.notMatch(String(result), /c2VjcmV0/)
  }
  wrong('', /has no key/)
  wrong('plain', /has no key/)
  wrong(`${k1}\nc2VjcmV0`, /line 2 has another form/)
  wrong('k1:c2VjcmV0', /line 1 is none/)
  wrong(`k1:${'c2VjcmV0'.repeat(5)}*`, /line 1 is none/)
  wrong(`${k1}\n${k1}`, /line 2 is used before/)
  wrong(`${k1}\nplain`, /line 2 has another form/)
  const keys = readEncryptionKeys(`# old\r\n${k2}\r\n\r\n${k1}\r\n`)
  t.match(keys, { first: { id: 'k2' } })
  t.same(typeof keys === 'string' ? [] : [...keys.all.keys()], ['k2', 'k1'])
  t.match(readEncryptionKeys(['plain', k1]), { first: undefined })
  t.end()
})

t.test('keys may come from a service, which is asked again if it fails', async (t) => {
  let calls = 0
  const inner = memoryInbox()
  const inbox = encryptInbox(inner, {
    keys: async () => {
      calls += 1
      if (calls === 1) throw new Error('no answer')
      return [k1]
    }
  })
  await t.rejects(inbox.open(), /no answer/)
  await inbox.open()
  await inbox.record([marked('1')])
  t.equal(calls, 2)
})
