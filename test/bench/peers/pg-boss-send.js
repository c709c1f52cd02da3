// A route that verifies and hands the event to pg-boss.
import { createHmac, timingSafeEqual } from 'node:crypto'

import Fastify from 'fastify'
import { PgBoss } from 'pg-boss'

const [path, secret, database] = process.argv.slice(2)
const boss = new PgBoss({ connectionString: database, supervise: false, schedule: false })
await boss.start()
await boss.createQueue('events')
const app = Fastify({ logger: false })
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
  done(null, body)
})
app.post(path, async (request, reply) => {
  const event = verified(request)
  if (event === undefined) return reply.code(401).send({ error: 'unauthenticated' })
  const id = await boss.send('events', event, { id: event.id })
  return reply.code(202).send({ id: event.id, status: id === null ? 'duplicate' : 'accepted' })
})

function verified({ body, headers }) {
  const [timestamp, signature] = String(headers['digitalriver-signature']).split(', ')
  const expected = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest()
  const given = Buffer.from(signature ?? '', 'base64')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  return JSON.parse(body.toString())
}

await app.listen({ port: 0, host: '127.0.0.1' })
process.send({ port: app.server.address().port })
