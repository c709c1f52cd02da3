// A hand-written route that stores events: verify, one INSERT per request, answer.
import { createHmac, timingSafeEqual } from 'node:crypto'

import Fastify from 'fastify'
import pg from 'pg'

const [path, secret, database] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: database, max: 10 })
await pool.query(
  'CREATE TABLE IF NOT EXISTS event (id text PRIMARY KEY, type text NOT NULL, body bytea NOT NULL, received_at timestamptz NOT NULL DEFAULT now())'
)
const app = Fastify({ logger: false })
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
  done(null, body)
})
app.post(path, async (request, reply) => {
  const event = verified(request)
  if (event === undefined) return reply.code(401).send({ error: 'unauthenticated' })
  const { rowCount } = await pool.query({
    name: 'insert',
    text: 'INSERT INTO event (id, type, body) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING',
    values: [event.id, event.type, request.body]
  })
  return reply.code(202).send({ id: event.id, status: rowCount === 1 ? 'accepted' : 'duplicate' })
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
