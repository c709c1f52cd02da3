// The receiver of the bench `read`, and its reads for people, as the operator's API makes them.
import Fastify from 'fastify'

import { riverhook, type EventFilter } from '../../../src/index.ts'
import { filtersByTwos } from '../../inbox/filters.ts'
import { secret } from '../../receive/receiver.ts'
import { announce } from '../announce.ts'
import { Measured } from './measured.ts'

const [inboxAddress] = process.argv.slice(2)
const app = Fastify({ logger: false })
await app.register(riverhook, { inbox: inboxAddress, secrets: secret, retention: '36500d' })
// Of the backlog: known, so that their deliveries are not parked.
for (const name of ['erp', 'mail']) app.riverhook.on('refund.failed', { name }, () => undefined)
app.riverhook.on('*', { name: 'archive' }, () => undefined)
await app.listen({ port: 0, host: '127.0.0.1' })
announce(app.server)
process.on('message', ({ ms }: { readonly ms?: number }) => {
  void (ms === undefined ? listAlone() : readAll(ms)).then(({ times, errors }) =>
    process.send?.({ times: [...times], errors: [...errors] })
  )
})

/** Reads each list three times, and measures the last two. */
async function listAlone(): Promise<Measured> {
  const { inbox } = app.riverhook
  const filters = filtersByTwos()
  await listAll(new Measured())
  const measured = new Measured()
  for (let pass = 0; pass < 2; pass += 1) await listAll(measured)
  return measured

  async function listAll(measured: Measured): Promise<void> {
    for (const { name, filter } of filters) await measured.time(name, () => inbox.events(filter))
  }
}

/** Reads for a time: each filter of a list, alone and by twos, and now and then statistics and a part of all events. */
async function readAll(ms: number): Promise<Measured> {
  const { inbox } = app.riverhook
  const measured = new Measured()
  const filters = filtersByTwos()
  const endsAt = performance.now() + ms
  let scanned: number | undefined
  for (let index = 0; performance.now() < endsAt; index += 1) {
    const next = filters[(index * 37) % filters.length]
    if (next !== undefined) await measured.time(next.name, () => inbox.events(next.filter))
    if (index % 50 === 0) await measured.time('stats', () => inbox.stats())
    if (index % 10 === 0) {
      const filter: EventFilter = { limit: 1_000, oldestFirst: true, after: scanned }
      await measured.time('full scan, a page of 1,000', async () => {
        scanned = (await inbox.events(filter)).next
      })
    }
  }
  return measured
}
