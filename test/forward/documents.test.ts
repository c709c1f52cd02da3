import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'

import { channels, createRiverhook, forward, memoryInbox, type SettledMessage } from '../../src/index.ts'
import { toWebHandler } from '../../src/web.ts'
import { makeFolder } from '../folder.ts'
import { runProcess } from '../processes.ts'
import { readableLog } from '../deliver/rig.ts'
import { event, secret, signatureHeaders, untilStored } from '../receive/receiver.ts'

// Risk: examples that do not work as they stand.

const forwardSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const page = readFileSync(new URL('../../docs/forward.md', import.meta.url), 'utf8')
const code = (name: string): string =>
  page
    .split(`<!-- run: ${name} -->\n`)[1]
    ?.split('```')[1]
    ?.replace(/^\w+\n/, '') ?? ''
const hasPython = spawnSync('python3', ['--version']).status === 0

t.test('the snippet in code', async (t) => {
  const folder = makeFolder(t, { 'forward.ts': `${code('forward.ts')}\nconsole.log(typeof riverhook.start)\n` })
  const { code: exit, stdout } = await runProcess(
    process.execPath,
    ['--conditions=riverhook-source', join(folder, 'forward.ts')],
    { cwd: folder, env: { RIVERHOOK_SECRETS: 'whk_a', FORWARD_SECRET: forwardSecret } }
  )
  t.match({ exit, stdout }, { exit: 0, stdout: 'function\n' })
})

t.test('the receiver in Python', { skip: hasPython ? false : 'this machine has no python3' }, async (t) => {
  const folder = makeFolder(t)
  const file = join(folder, 'receiver.py')
  writeFileSync(file, code('receiver.py'))
  const url = await startPython(t, file)
  const states = new Map<string, string>()
  for (const [name, signing] of [
    ['right', forwardSecret],
    ['wrong', `whsec_${Buffer.alloc(32, 7).toString('base64')}`],
    ['unsigned', undefined]
  ] as const)
    states.set(name, await deliver(t, url, signing))
  t.same(Object.fromEntries(states), { right: 'done', wrong: 'dead', unsigned: 'dead' })
})

/** Forwards one event. @returns the state of its delivery */
async function deliver(t: Test, url: string, signing: string | undefined): Promise<string> {
  const inbox = memoryInbox()
  const { log } = readableLog()
  const ended = Promise.withResolvers<string>()
  const note = (message: unknown): void => {
    ended.resolve((message as SettledMessage).state)
  }
  channels.settled.subscribe(note)
  t.teardown(() => {
    channels.settled.unsubscribe(note)
  })
  const riverhook = createRiverhook({
    secrets: secret,
    inbox,
    log,
    handlers: forward({ url, secret: signing })
  })
  t.teardown(() => riverhook.stop())
  await riverhook.start()
  const body = event()
  const headers = { 'content-type': 'application/json', ...signatureHeaders(body) }
  const send = () =>
    toWebHandler(riverhook)(
      new Request('https://shop.example/webhooks/digital-river', {
        method: 'POST',
        headers,
        body: Uint8Array.from(body)
      })
    )
  t.equal((await untilStored(send)).status, 202)
  const state = await ended.promise
  channels.settled.unsubscribe(note)
  return state
}

async function startPython(t: Test, file: string): Promise<string> {
  const child = spawn('python3', [file], {
    env: { ...process.env, PORT: '0', FORWARD_SECRET: forwardSecret },
    stdio: ['ignore', 'pipe', 'ignore']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return `http://127.0.0.1:${port.toString().trim()}/hooks`
}
