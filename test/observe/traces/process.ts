import { context, trace } from '@opentelemetry/api'

import { createRiverhook } from '../../../src/index.ts'
import { event, secret, signatureHeaders } from '../../receive/receiver.ts'
import { inServerSpan, patient, startSdk } from './sdk.ts'

// A process with an SDK. Arguments: the inbox, the attempt at which the handler of `slow` succeeds, the attempt after
// which the process ends, and the id of an event to receive first, if any. Prints the spans as JSON.
const [inbox = '', successAt, endAt, id] = process.argv.slice(2)
const spans = startSdk()
const ended = Promise.withResolvers<undefined>()
const lines: string[] = []
const log = { write: (line: string) => lines.push(line) }
const { pino } = await import('pino')

const riverhook = createRiverhook({
  path: '/hook',
  secrets: secret,
  inbox,
  log: pino({ level: 'debug' }, log),
  retry: { base: '1ms', cap: '1ms', attempts: 5 }
})
const leaks: (string | undefined)[] = []
riverhook.on('order.accepted', { name: 'slow' }, (_event, { attempt, log }) => {
  log.info('at work')
  leaks.push(trace.getSpan(context.active())?.spanContext().spanId)
  if (attempt === Number(endAt)) {
    void riverhook.drain()
    ended.resolve(undefined)
  }
  if (attempt < Number(successAt)) throw new Error(`attempt ${attempt} fails`)
})
if (id !== undefined) riverhook.on('order.accepted', { name: 'fast' }, () => undefined)
await riverhook.start()
// The timers of a receiver keep no process alive.
const keepAlive = setInterval(() => undefined, 60_000)
if (id !== undefined) {
  const body = event({ id })
  const headers = Object.fromEntries(
    Object.entries(signatureHeaders(body)).map(([name, value]) => [name.toLowerCase(), value])
  )
  await inServerSpan('POST', () =>
    riverhook.receive({
      method: 'POST',
      url: '/hook',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      ...patient
    })
  )
}
await ended.promise
await riverhook.stop()
clearInterval(keepAlive)
const active = trace.getSpan(context.active())?.spanContext().spanId
const logged = lines
  .map((line) => JSON.parse(line) as { readonly msg: string; readonly trace_id?: string; readonly span_id?: string })
  .map(({ msg, trace_id, span_id }) => ({ msg, trace_id, span_id }))
console.log(JSON.stringify({ spans: spans(), inHandler: leaks, active, logged }))
