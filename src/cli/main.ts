#!/usr/bin/env node
import { setTimeout } from 'node:timers'

import { packageVersion, unsupportedRuntime } from '../runtime.ts'
import { enableCompileCache } from './compile-cache.ts'
import { isQuick } from './is-quick.ts'

const [, , ...args] = process.argv
let isOutputLost = false

// A reader that stops (`| head`) is not an error: the command finishes its work, and the exit code reports that work.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || isOutputLost) return
  isOutputLost = true
  process.exitCode = 1
  process.stderr.write(`riverhook: the output cannot be written: ${error.message}\n`)
})
// Nothing is left to report this to.
process.stderr.on('error', () => undefined)

const reason = unsupportedRuntime(process.versions)
if (reason !== undefined) {
  process.stderr.write(`${reason}\n`)
  process.exitCode = 1
} else if (args[0] === '--version' || args[0] === '-V') {
  process.stdout.write(`${packageVersion()}\n`)
} else {
  // A server runs for weeks and gains nothing from the cache. Import everything else after this line.
  if (args[0] !== 'serve') enableCompileCache()
  const { run } = await (isQuick(args, process.env) ? import('./quick.ts') : import('./program.ts'))
  const code = await run(args)
  if (code !== undefined) process.exitCode = code
  // After a failed start, exit even if a handlers file started something at its top level.
  if (code !== undefined && args[0] === 'serve') setTimeout(() => process.exit(), 2_000).unref()
}
