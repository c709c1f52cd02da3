// Contestant (d): Express and standardwebhooks, as their READMEs combine them. Nothing is stored.
import express from 'express'
import { Webhook } from 'standardwebhooks'

const [path, secret] = process.argv.slice(2)
const webhook = new Webhook(secret)
const app = express()

app.post(path, express.raw({ type: 'application/json', limit: '1mb' }), (request, response) => {
  let event
  try {
    event = webhook.verify(request.body, request.headers)
  } catch {
    response.status(401).json({ error: 'unauthenticated' })
    return
  }
  response.status(202).json({ id: event.id, status: 'accepted' })
})

const server = app.listen(0, '127.0.0.1', () => {
  process.send({ port: server.address().port })
})
// The others warm up meanwhile, which can take longer than the 5 s for which Node keeps an idle connection.
server.keepAliveTimeout = 60_000
