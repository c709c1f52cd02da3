// Contestant (a): what one would write by hand, with nothing that is not needed. Nothing is stored.
import { createHmac, timingSafeEqual } from 'node:crypto'

import Fastify from 'fastify'

import { announce } from '../announce.ts'

const [path, secret] = process.argv.slice(2) as [string, string]
const app = Fastify({ logger: false })

app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
  done(null, body)
})

app.post(path, (request, reply) => {
  const body = request.body as Buffer
  const [timestamp, signature] = String(request.headers['digitalriver-signature']).split(', ')
  const expected = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest()
  const given = Buffer.from(signature ?? '', 'base64')
  const ageMs = Math.abs(Date.now() - Number(timestamp) * 1000)
  if (given.length !== expected.length || !timingSafeEqual(given, expected) || !(ageMs <= 300_000)) {
    reply.code(401).send({ error: 'unauthenticated' })
    return
  }
  const event = JSON.parse(body.toString()) as { id: string }
  reply.code(202).send({ id: event.id, status: 'accepted' })
})

await app.listen({ port: 0, host: '127.0.0.1' })
announce(app.server)
