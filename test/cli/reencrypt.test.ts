import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import t from 'tap'

import { createRiverhook, openInbox } from '../../src/index.ts'
import { whenSettled } from '../../src/testing/index.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from '../inbox/arrivals.ts'
import { keyOf } from '../event-keys.ts'
import { cliHere } from './rig.ts'

// Risk: an operator changes the keys by the commands of the documents, and events cannot be read afterwards.

const newKey = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`

t.test('keys are changed, and encryption begins and ends, by commands', async (t) => {
  const folder = makeFolder(t)
  const address = `sqlite:${join(folder, 'inbox.db')}`
  const file = join(folder, 'keys.txt')
  const env = { RIVERHOOK_INBOX: address, RIVERHOOK_ENCRYPTION_KEYS_FILE: file }
  const cli = (args: readonly string[], more = {}) => cliHere(['inbox', ...args], { ...env, ...more })
  const [k1, k2] = [newKey('k1'), newKey('k2')]
  /** Starts and stops a server with these keys. */
  const serve = async (keys?: readonly string[]): Promise<void> => {
    if (keys !== undefined) writeFileSync(file, keys.join('\n'))
    const server = openInbox(address, keys === undefined ? {} : { encryption: { keys } })
    await server.open()
    await server.close()
  }
  const plain = openInbox(address)
  await plain.open()
  await plain.record([arrival('e1', ['ship']), arrival('e2', ['ship'])])
  await plain.close()
  writeFileSync(file, k1)
  t.match(await cli(['reencrypt']), { code: 2, stderr: /start its server with the keys/ })
  t.match(await cli(['encryption']), { stdout: /^plain text: 2 events\nNew events are in plain text\.\n$/ })

  await serve([k1])
  t.match(await cli(['reencrypt', '--decrypt']), { code: 2, stderr: /still encrypted/ })
  t.match(await cli(['reencrypt']), { code: 0, stdout: /^2 events of 2 changed\.\n/ })
  t.match(await cli(['reencrypt']), { code: 0, stdout: /^0 events of 2 changed\.\n$/ })
  t.match(await cli(['encryption']), { stdout: /^k1: 2 events\nNew events are encrypted\.\n$/ })
  const shown = await cliHere(['events', 'show', 'e1', '--payload', '--reveal'], env)
  t.match(shown.stdout, /"id": "e1"/)
  const without = { RIVERHOOK_INBOX: address }
  t.match(await cliHere(['events', 'list'], without), { code: 1, stderr: /"k1"/ })
  const audit = await cliHere(['audit', '--json'], env)
  t.match(audit.stdout, /"inbox\.reencrypt"[\s\S]*0 of 2 changed/)

  await serve([k2, k1])
  t.match(await cli(['reencrypt']), { code: 0, stdout: /^2 events of 2 changed/ })
  const copy = `sqlite:${join(folder, 'copy.db')}`
  t.match(await cli(['copy', '--from', address, '--to', copy, '--yes']), { code: 0, stdout: /^2 of 2 events copied/ })
  t.match(await cliHere(['inbox', 'encryption', '--inbox', copy], env), { stdout: /^k2: 2 events\n/ })

  await serve(['plain', k2])
  t.match(await cli(['reencrypt']), { code: 2, stderr: /add --decrypt/ })
  t.match(await cli(['reencrypt', '--decrypt']), { code: 0, stdout: /^2 events of 2 changed/ })
  await serve()
  writeFileSync(file, `${k1}\nwrong`)
  t.match(await cli(['encryption']), { code: 1, stderr: /line 2 has another form/ })
})

// Risk: at night, a handler of an encrypted inbox cannot be paused, and a person's data cannot be erased.
t.test('the commands that repair open an encrypted inbox', async (t) => {
  const folder = makeFolder(t)
  const file = join(folder, 'keys.txt')
  const key = newKey('k1')
  writeFileSync(file, key)
  const address = `sqlite:${join(folder, 'inbox.db')}`
  const env = { RIVERHOOK_INBOX: address, RIVERHOOK_ENCRYPTION_KEYS_FILE: file }
  const server = openInbox(address, { encryption: { keys: [key] } })
  await server.open()
  await server.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
  await server.record([arrival('e1', ['ship'], { about: ['buyer@x.example'] }), arrival('e2', ['ship'])])
  await server.close()
  for (const [line, printed] of [
    ['handlers pause ship', /^ship is paused/],
    ['handlers resume ship', /^ship is resumed/],
    ['replays list', /^No replays/],
    ['drift', /./],
    ['events erase --about buyer@x.example --yes', /^1 event erased/],
    ['events remove e2 --yes', /^1 event removed/]
  ] as const)
    t.match(await cliHere(line.split(' '), env), { code: 0, stdout: printed }, line)
})

t.test('an event that was changed in the file is a dead letter with a code', async (t) => {
  const folder = makeFolder(t)
  const path = join(folder, 'inbox.db')
  const encryption = { keys: newKey('k1') }
  const inbox = openInbox(`sqlite:${path}`, { encryption })
  await inbox.open()
  await inbox.record([{ ...arrival('e1', ['ship']), body: Buffer.from('{"id":"e1"}') }])
  await inbox.close()
  const db = new DatabaseSync(path)
  db.exec("UPDATE event SET body = unhex(hex(substr(body, 1, length(body) - 1)) || '00')")
  db.close()
  let calls = 0
  const dead = Promise.withResolvers<string>()
  const riverhook = createRiverhook({
    path: '/webhooks',
    secrets: 'whk',
    inbox: `sqlite:${path}`,
    encryption,
    onDead: (_event, { error }) => {
      dead.resolve((error as { readonly code: string }).code)
    }
  })
  riverhook.on('*', { name: 'ship' }, () => {
    calls += 1
  })
  await riverhook.start()
  t.equal(await dead.promise, 'RIVERHOOK_DELIVER_UNREADABLE')
  t.match(await whenSettled(riverhook.inbox, 'e1'), [{ state: 'dead', lastError: /cannot be decrypted/ }])
  await t.rejects(riverhook.inbox.event(keyOf('e1')), { code: 'RIVERHOOK_INBOX_DAMAGED' })
  t.equal(calls, 0)
  await riverhook.stop()
})
