#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// What was compiled once, in the folder of the system for what may be lost, makes the next start a third faster: a completion is asked for at
// every press of a key. So this file imports nothing else before. Where it cannot be had, all is compiled anew.
enableCompileCache()
// The reader of a pipe may have had enough (`| head`): that is its right, and no error. What the command does goes on to its end, and its exit
// code tells of that.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const { run } = await import('./program.ts')
const code = await run(process.argv.slice(2))
if (code !== undefined) process.exitCode = code
