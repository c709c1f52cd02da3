import { AsyncLocalStorage } from 'node:async_hooks'
import { join } from 'node:path'
import type { Test } from 'tap'

import { createDigitalRiver, type DigitalRiverOptions } from '../../src/testing/index.ts'
import { run } from '../../src/cli/program.ts'
import type { Environment } from '../environment.ts'
import { makeFolder } from '../folder.ts'
import type { Finished } from '../processes.ts'

const handlersFile = `
import { defineHandler } from 'riverhook'
export default [
  defineHandler('order.accepted', { name: 'ship', orderBy: (event) => event.data.object.id }, () => undefined),
  defineHandler('refund.failed', { name: 'mail' }, () => undefined)
]
`

/**
 * A simulated Digital River, a folder of handlers, an inbox that does not exist yet, and the command line with the
 * environment for them, run in this process.
 */
export async function start(t: Test, options: DigitalRiverOptions = {}) {
  const river = await createDigitalRiver(options)
  t.teardown(() => river.close())
  const folder = makeFolder(t, { handlers: { 'handlers.js': handlersFile } })
  const inbox = `sqlite:${join(folder, 'inbox.db')}`
  const handlers = join(folder, 'handlers')
  const env = {
    DIGITAL_RIVER_API_URL: river.url,
    DIGITAL_RIVER_API_KEY: river.apiKey,
    RIVERHOOK_INBOX: inbox,
    RIVERHOOK_HANDLERS: handlers
  }
  return { river, folder, inbox, handlers, env, cli: (...args: string[]) => cliHere(args, env) }
}

/**
 * Runs a command line in this process, which saves the half second that a process takes to start. A command that reads
 * its input, waits for a signal or runs beside another one needs a separate process: see `runCli`.
 */
export function cliHere(args: readonly string[], env: Environment = {}): Promise<Finished> {
  return runHere(run, args, env)
}

/** Sends as a provider does, which repeats what is answered 503: a busy machine may not store an event in time. */
export async function untilStored(send: () => Promise<Finished>): Promise<Finished> {
  for (let triesLeft = 20; ; triesLeft -= 1) {
    const sent = await send()
    if (!sent.stdout.startsWith('503 ') || triesLeft === 0) return sent
  }
}

/** `cliHere` with what runs the command line. */
export async function runHere(work: typeof run, args: readonly string[], env: Environment = {}): Promise<Finished> {
  const told = { stdout: '', stderr: '' }
  const before = { env: process.env, exitCode: process.exitCode }
  process.env = { ...before.env, NO_COLOR: '1', ...env }
  process.exitCode = undefined
  try {
    const code = await telling.run(told, () => work(args))
    return { code: code ?? exitCode(), ...told }
  } finally {
    process.env = before.env
    process.exitCode = before.exitCode
  }
}

const exitCode = (): number => Number(process.exitCode ?? 0)

/** Collects the command's output. Output of tap goes to the original stream. */
const telling = new AsyncLocalStorage<{ stdout: string; stderr: string }>()

for (const name of ['stdout', 'stderr'] as const) {
  const stream = process[name]
  const write = stream.write.bind(stream) as (...given: readonly unknown[]) => boolean
  stream.write = (chunk: string | Uint8Array, ...rest: readonly unknown[]): boolean => {
    const told = telling.getStore()
    if (told === undefined) return write(chunk, ...rest)
    told[name] += Buffer.from(chunk as Uint8Array).toString()
    const written = rest.find((each) => typeof each === 'function') as (() => void) | undefined
    if (written !== undefined) process.nextTick(written)
    return true
  }
}
// No terminal is reported, even if the tests run in one.
for (const stream of [process.stdin, process.stdout, process.stderr])
  Object.defineProperty(stream, 'isTTY', { value: false })
