#!/usr/bin/env node
import { setTimeout } from 'node:timers'

import { unsupportedRuntime } from '../runtime.ts'
import { enableCompileCache } from './compile-cache.ts'

const [, , ...args] = process.argv
let isOutputLost = false

// A reader that has had enough (`| head`) is no error: the command does its work to the end, and its exit code is about the work.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE' || isOutputLost) return
  isOutputLost = true
  process.exitCode = 1
  process.stderr.write(`riverhook: the output cannot be written: ${error.message}\n`)
})
// Nothing is left to report this to.
process.stderr.on('error', () => undefined)

const reason = unsupportedRuntime(process.versions)
if (reason === undefined) {
  // A server runs for weeks: it gains nothing from the cache. Everything else is imported after it.
  if (args[0] !== 'serve') enableCompileCache()
  const { run } = await import('./program.ts')
  const code = await run(args)
  if (code !== undefined) process.exitCode = code
  // A server that could not start is not kept alive by what a file of its handlers began at its top level.
  if (code !== undefined && args[0] === 'serve') setTimeout(() => process.exit(), 2_000).unref()
} else {
  process.stderr.write(`${reason}\n`)
  process.exitCode = 1
}
