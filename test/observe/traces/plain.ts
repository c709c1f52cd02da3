import { createRiverhook } from '../../../src/index.ts'
import { event, secret, signatureHeaders } from '../../receive/receiver.ts'
import { log } from '../log.ts'

// A process without an SDK that receives and handles one event.
const riverhook = createRiverhook({ path: '/hook', secrets: secret, inbox: 'memory:', log })
const { promise, resolve } = Promise.withResolvers<undefined>()
riverhook.on('order.accepted', () => {
  resolve(undefined)
})
await riverhook.start()
// The timers of a receiver keep no process alive.
const keepAlive = setInterval(() => undefined, 60_000)
const body = event({ id: 'e1' })
const signed = Object.entries(signatureHeaders(body)).map(([name, value]) => [name.toLowerCase(), value])
const headers = { 'content-type': 'application/json', ...Object.fromEntries(signed) }
await riverhook.receive({ method: 'POST', url: '/hook', headers, body, elapsedMs: -60_000 })
await promise
await riverhook.stop()
clearInterval(keepAlive)
