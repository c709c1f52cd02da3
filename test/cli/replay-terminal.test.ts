import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { fileURLToPath } from 'node:url'

import t, { type Test } from 'tap'

import { openInbox } from '../../src/index.ts'
import { asUser, environment } from '../environment.ts'
import { keysOf, named } from '../event-keys.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from '../inbox/arrivals.ts'
import { claim, settleAll } from '../inbox/contract.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const skip = process.platform === 'linux' ? false : 'needs the command script of util-linux'

/** An inbox with dead letters, and the command line on a terminal of 80 columns. */
async function prepare(t: Test) {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const server = openInbox(inbox)
  await server.open()
  await server.adopt(named('erp').map((handler) => ({ ...handler, pattern: '*' })))
  await server.record(Array.from({ length: 90 }, (_, index) => arrival(`e${index}`, ['erp'])))
  await settleAll(server, await claim(server, ['erp']), { state: 'dead', error: 'no' })
  await server.close()
  /**
   * Types when the output has a text, and returns the output without control sequences.
   * @param meanwhile is done before
   */
  const run = async (
    args: string,
    when: RegExp,
    typed: string,
    meanwhile: () => Promise<unknown> = () => Promise.resolve()
  ): Promise<{ output: string; code: number | null }> => {
    const command = `stty cols 80; exec ${process.execPath} --conditions=riverhook-source ${main} ${args} --inbox ${inbox}`
    const child = spawn(...asUser('script', ['-qec', command, '/dev/null']), {
      env: environment({ TERM: 'xterm', SHELL: '/bin/sh' }),
      stdio: ['pipe', 'pipe', 'inherit']
    })
    let output = ''
    let hasTyped = false
    child.stdout.on('data', (chunk: Buffer) => {
      output += stripVTControlCharacters(chunk.toString())
      if (hasTyped || !when.test(output)) return
      hasTyped = true
      void meanwhile().then(() => child.stdin.write(typed))
    })
    const [code] = (await once(child, 'close')) as [number | null]
    return { output: output.replaceAll('\r\n', '\n'), code }
  }
  return { inbox, run }
}

const ctrlC = '\x03'
const ctrlD = '\x04'

// Risk: a person presses Ctrl-C, and does not know whether the replay continues.
t.test('Ctrl-C leaves a replay to the server, and says so', { skip }, async (t) => {
  const { inbox, run } = await prepare(t)
  const { output, code } = await run('events replay --state dead --rate 1/s --yes', /[1-9]\d?\/90 deliveries/, ctrlC)
  t.match(output, /\n\d+ of 90 replayed\. The server continues job 1 within half a minute, or when it is started\.\n/)
  t.match(output, /To stop it: riverhook replays stop 1\n$/)
  t.equal(code, 1)
  const looked = openInbox(inbox, { role: 'command' })
  await looked.open()
  t.teardown(() => looked.close())
  t.match(await looked.job(1), { state: 'waiting', owner: undefined })
})

t.test('Ctrl-C and Ctrl-D at the question change nothing', { skip }, async (t) => {
  const { run } = await prepare(t)
  for (const key of [ctrlC, ctrlD]) {
    const { output, code } = await run('events replay --state dead', /\[y\/N\]/, key)
    t.match(output, /Replay 90 deliveries of 90 events \(erp: 90 dead\)\? \[y\/N\] \s+Nothing was changed\.\n$/)
    t.equal(code, 1)
  }
})

// Risk: a dead letter that a colleague replays while the question is open is removed with its open work.
t.test('an event that changes before the answer is not removed', { skip }, async (t) => {
  const { inbox, run } = await prepare(t)
  const server = openInbox(inbox, { role: 'command' })
  await server.open()
  t.teardown(() => server.close())
  const replayed = keysOf('e1', 'e2')
  const { output, code } = await run('events remove --state dead', /\[y\/N\]/, 'y\n', () =>
    server.replay(replayed.map((event) => ({ event, handler: 'erp' })))
  )
  t.match(output, /Remove 90 events for good\? .*\n88 events removed\.\n2 events not removed: .* has changed /s)
  t.equal(code, 0)
  t.same(
    (await server.events({ limit: 9 })).events.map(({ id }) => id),
    ['e2', 'e1']
  )
})
