import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'

import { openInbox, type Inbox } from '../../../src/index.ts'
import { reencryptInbox } from '../../../src/programs.ts'
import { keyOf } from '../../event-keys.ts'
import { makeFolder } from '../../folder.ts'
import { arrival } from '../../inbox/arrivals.ts'
import { runCli, startCli, startServer } from '../../processes.ts'

// Risk: a process that is killed while it encrypts leaves events that no key can read, or plain text in the file for
// ever.

const count = 600
const marker = 'Mrs-Personal-Data'
const ids = Array.from({ length: count }, (_, index) => `e${index}`)
/** Of different lengths: SQLite moves rows when they change. */
const bodyOf = (id: string): Buffer =>
  Buffer.from(JSON.stringify({ id, name: marker, more: `${marker} `.repeat((Number(id.slice(1)) * 7) % 60) }))

/** A file with events in plain text, from before its server had keys. */
async function startEncryption(t: Test) {
  const path = join(makeFolder(t), 'inbox.db')
  const address = `sqlite:${path}`
  const keys = [`k1:${randomBytes(32).toString('base64')}`]
  const plain = openInbox(address)
  await plain.open()
  for (let at = 0; at < count; at += 200)
    await plain.record(
      ids.slice(at, at + 200).map((id) => arrival(id, [], { body: bodyOf(id), about: [`${marker} ${id}`] }))
    )
  await plain.close()
  const server = openInbox(address, { encryption: { keys } })
  await server.open()
  await server.close()
  const env = { RIVERHOOK_INBOX: address, RIVERHOOK_ENCRYPTION_KEYS: keys.join('\n') }
  const read = async (use: (inbox: Inbox) => Promise<void>): Promise<void> => {
    const inbox = openInbox(address, { role: 'command', encryption: { keys } })
    await inbox.open()
    await use(inbox)
    await inbox.close()
  }
  return { path, keys, env, read }
}

function countPlain(path: string): number {
  // A process that opens the file locks it while it reads the log.
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
  try {
    return Number(
      db.prepare('SELECT count(*) AS n FROM event WHERE instr(body, ?) > 0').get(Buffer.from(marker))?.['n']
    )
  } finally {
    db.close()
  }
}

const isMarked = (path: string): boolean =>
  [path, `${path}-wal`].some(
    (file) => existsSync(file) && readFileSync(file).toString('latin1').toLowerCase().includes(marker.toLowerCase())
  )

async function expectAll(t: Test, inbox: Inbox): Promise<void> {
  const wrong: string[] = []
  for (const id of ids) {
    const detail = await inbox.event(keyOf(id))
    if (detail === undefined || !bodyOf(id).equals(detail.body) || detail.about.length !== 1) wrong.push(id)
  }
  t.same(wrong, [], 'every event can be read')
}

t.test('a second run finishes the encryption of a file whose first run was killed', async (t) => {
  const { path, env, read } = await startEncryption(t)
  t.equal(countPlain(path), count)
  const first = startCli(['inbox', 'reencrypt'], env)
  const exited = once(first, 'exit')
  while (countPlain(path) === count && first.exitCode === null) await delay(1)
  first.kill('SIGKILL')
  t.same(await exited, [null, 'SIGKILL'])
  const left = countPlain(path)
  t.ok(left > 0 && left < count, `${left} of ${count} events are left`)
  await read((inbox) => expectAll(t, inbox))
  t.match(await runCli(['inbox', 'reencrypt'], { env }), { code: 0, stdout: `${left} events of ${count} changed.` })
  t.match(await runCli(['inbox', 'encryption'], { env }), { code: 0, stdout: `k1: ${count} events\n` })
  t.notOk(isMarked(path), 'no plain text is left')
  await read((inbox) => expectAll(t, inbox))
})

t.test('a run that finds nothing to change removes the plain text that a killed one left in the file', async (t) => {
  const { path, keys, env, read } = await startEncryption(t)
  // While it has the file open, what was changed is in the log, and the file is as before.
  const server = await startServer({ ...env, RIVERHOOK_SECRETS: 'whk_a' })
  t.teardown(() => server.end('SIGKILL'))
  // Killed after the last event.
  await read(async (inbox) => {
    t.match(await reencryptInbox(inbox, { keys }), { changed: count })
  })
  t.equal(countPlain(path), 0)
  t.ok(isMarked(path), 'the file has plain text')
  t.match(await runCli(['inbox', 'reencrypt'], { env }), { code: 0, stdout: `0 events of ${count} changed.` })
  t.notOk(isMarked(path))
})
