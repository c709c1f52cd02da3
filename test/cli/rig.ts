import { join } from 'node:path'
import type { Test } from 'tap'

import { createDigitalRiver, type DigitalRiverOptions } from '../../src/testing/index.ts'
import { run } from '../../src/cli/program.ts'
import type { Environment } from '../environment.ts'
import { makeFolder } from '../folder.ts'
import { runCli } from '../processes.ts'

const handlersFile = `
import { defineHandler } from 'riverhook'
export default [
  defineHandler('order.accepted', { name: 'ship', orderBy: (event) => event.data.object.id }, () => undefined),
  defineHandler('refund.failed', { name: 'mail' }, () => undefined)
]
`

/** A simulated Digital River, a folder of handlers, an inbox that is not there yet, and the command line with the environment for them. */
export async function start(t: Test, options: DigitalRiverOptions = {}) {
  const river = await createDigitalRiver(options)
  t.teardown(() => river.close())
  const folder = makeFolder(t, { handlers: { 'handlers.js': handlersFile } })
  const inbox = `sqlite:${join(folder, 'inbox.db')}`
  const handlers = join(folder, 'handlers')
  const env = { DIGITAL_RIVER_API_URL: river.url, DIGITAL_RIVER_API_KEY: river.apiKey, RIVERHOOK_INBOX: inbox, RIVERHOOK_HANDLERS: handlers }
  return { river, folder, inbox, handlers, env, cli: (...args: string[]) => runCli(args, { env }) }
}

/**
 * Runs a command line that is to be refused, in this process: what it says, and the exit code, without the second that a process takes to start.
 * One at a time: it is the whole process's stderr and environment.
 */
export async function refused(args: readonly string[], env: Environment = {}): Promise<{ readonly code: number | undefined; readonly stderr: string }> {
  const before = { env: process.env, write: process.stderr.write }
  let stderr = ''
  process.env = { ...before.env, ...env }
  process.stderr.write = (chunk: string | Uint8Array) => {
    stderr += String(chunk)
    return true
  }
  try {
    return { code: await run(args), stderr }
  } finally {
    process.env = before.env
    process.stderr.write = before.write
  }
}
