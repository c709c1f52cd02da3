import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { rmSync } from 'node:fs'

import { startEmbedded } from './embedded-postgres.ts'

// Keeps one PostgreSQL for the test files of a run, each of which stays connected to this socket while it needs it,
// and is told the address. Once nobody does for a while, both end: no file is the last one by agreement, and none is
// waited for that was killed.
const path = process.argv[2] ?? ''
const idleMs = 5000

let users = 0
let idle: NodeJS.Timeout | undefined

const listener = createServer()
// Where files start at once, it fails for all keepers but one, before they have begun anything.
await once(listener.listen(path), 'listening')
const starting = startEmbedded()
listener.on('connection', (socket: Socket) => {
  users += 1
  clearTimeout(idle)
  socket.on('error', () => undefined)
  socket.once('close', () => {
    users -= 1
    if (users === 0) idle = setTimeout(end, idleMs)
  })
  starting.then(
    ({ address }) => socket.write(`${address}\n`),
    (error: unknown) => socket.end(`${String(error)}\n`)
  )
})
process.stdout.write('listening\n')

function end(): void {
  listener.close()
  rmSync(path, { force: true })
  void starting.then(
    (server) => server.stop(),
    () => undefined
  )
}
