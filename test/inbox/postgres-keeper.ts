import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { rmSync } from 'node:fs'

import { startEmbedded } from './embedded-postgres.ts'

// Keeps one PostgreSQL for the test files of a run. Each file stays connected to this socket while it needs the server,
// and receives its address. A while after the last connection closes, both end. No file has to be the last one, and a
// killed file does not keep the server alive.
const path = process.argv[2] ?? ''
const idleMs = 5000

let users = 0
let idle: NodeJS.Timeout | undefined

const listener = createServer()
// If files start at the same time, this fails for all keepers but one, before they have started anything.
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
