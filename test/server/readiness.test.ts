import { createServer as createHttpServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

import t, { type Test } from 'tap'

import { readConfig } from '../../src/options/environment.ts'
import { createServer } from '../../src/server/server.ts'
import { makeFolder } from '../folder.ts'
import { event, postUntilStored, signatureHeaders } from '../receive/receiver.ts'

const stuck = `module.exports = (riverhook) => {
  riverhook.on('*', { name: 'stuck', concurrency: 1 }, (event, { signal }) =>
    new Promise((resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))))
}`

/** A server whose handler hangs, behind a balancer that passes requests on while the server says that it is ready. */
async function behindBalancer(t: Test, more: Record<string, string>) {
  const folder = makeFolder(t, { handlers: { 'stuck.cjs': stuck } })
  const app = await createServer(
    readConfig({
      RIVERHOOK_SECRETS: 'whk_a',
      RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`,
      RIVERHOOK_HANDLERS: join(folder, 'handlers'),
      RIVERHOOK_MAX_BACKLOG_AGE: '1ms',
      RIVERHOOK_GRACE: '0',
      RIVERHOOK_LOG_LEVEL: 'silent',
      ...more
    })
  )
  t.teardown(() => app.close())
  const target = await app.listen({ host: '127.0.0.1', port: 0 })
  const balancer = createHttpServer((request, response) => {
    void (async () => {
      const chunks = await request.toArray()
      const { status: ready } = await fetch(`${target}/health/ready`)
      if (ready !== 200) {
        response.writeHead(503).end('{"code":"no server is ready"}')
        return
      }
      const headers = Object.entries(request.headersDistinct).flatMap(([name, values = []]) =>
        name === 'connection' ? [] : values.map((value): [string, string] => [name, value])
      )
      const body = Buffer.concat(chunks as Buffer[])
      const answer = await fetch(`${target}${request.url ?? ''}`, { method: 'POST', headers, body })
      response.writeHead(answer.status).end(await answer.text())
    })()
  })
  await new Promise<void>((resolve) => {
    balancer.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    balancer.close()
    balancer.closeAllConnections()
  })
  const { port } = balancer.address() as { port: number }
  const send = async (id: string) => {
    const body = event({ id })
    return (
      await postUntilStored(`http://127.0.0.1:${port}/webhooks/digital-river`, body, signatureHeaders(body, 'whk_a'))
    ).status
  }
  // The first delivery hangs, so the second one is overdue from now on.
  t.equal(await send('e1'), 202)
  t.equal(await send('e2'), 202)
  while ((await app.riverhook.health()).warnings === undefined) await setTimeout(20)
  return { app, send }
}

// Risk: one slow handler takes every replica out of the balancer, and events that could be recorded are refused.
t.test('with a handler that hangs and an old backlog, a POST through a balancer is recorded', async (t) => {
  const { app, send } = await behindBalancer(t, {})
  t.match(await app.riverhook.health(), { ready: true, reasons: [], warnings: { backlog: /overdue by/ } })
  t.equal(await send('e3'), 202)
  const { json, statusCode } = await app.inject('/health/ready')
  t.same([statusCode, json()], [200, { status: 'ready', reasons: [] }])
})

t.test('RIVERHOOK_READY_NEEDS_NO_BACKLOG: the balancer takes the server out', async (t) => {
  const { app, send } = await behindBalancer(t, { RIVERHOOK_READY_NEEDS_NO_BACKLOG: 'true' })
  t.match(await app.riverhook.health(), { ready: false, reasons: [/overdue by/] })
  t.equal(await send('e3'), 503)
})

t.test('a start may take longer than the 10 s of Fastify: a large inbox needs them', async (t) => {
  const app = await createServer(
    readConfig({ RIVERHOOK_SECRETS: 'whk_a', RIVERHOOK_INBOX: 'memory:', RIVERHOOK_LOG_LEVEL: 'silent' })
  )
  t.teardown(() => app.close())
  t.equal(app.initialConfig.pluginTimeout, 600_000)
})
