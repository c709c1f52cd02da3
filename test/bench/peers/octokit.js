// Contestant (e): the middleware of @octokit/webhooks on Node's own server, with no handler. Nothing is stored.
import { createServer } from 'node:http'

import { createNodeMiddleware, Webhooks } from '@octokit/webhooks'

const [path, secret] = process.argv.slice(2)
const webhooks = new Webhooks({ secret })

const server = createServer(createNodeMiddleware(webhooks, { path }))
server.listen(0, '127.0.0.1', () => {
  process.send({ port: server.address().port })
})
// The others warm up meanwhile, which can take longer than the 5 s for which Node keeps an idle connection.
server.keepAliveTimeout = 60_000
