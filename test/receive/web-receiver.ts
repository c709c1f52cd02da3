import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { getRequestListener } from '@hono/node-server'
import { pino } from 'pino'
import type { Test } from 'tap'

import { createRiverhook, type RiverhookOptions } from '../../src/index.ts'
import { toWebHandler } from '../../src/web.ts'
import { secret, type LogLine, type Receiver } from './receiver.ts'

/** A real server of web requests with the handler mounted, and its log, in the form of a Fastify receiver. */
export async function startWebReceiver(t: Test, options: RiverhookOptions = {}): Promise<Receiver> {
  const lines: LogLine[] = []
  const stream = {
    write: (line: string) => {
      lines.push(JSON.parse(line) as LogLine)
    }
  }
  const credentials =
    options.endpoints === undefined && options.basicAuth === undefined && options.bearer === undefined
      ? { secrets: secret }
      : {}
  const riverhook = createRiverhook({
    inbox: 'memory:',
    log: pino({ level: 'debug' }, stream),
    ...credentials,
    ...options
  })
  const listener = getRequestListener(toWebHandler(riverhook))
  const server = createServer((request, response) => void listener(request, response))
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await riverhook.stop()
  })
  const app = {
    riverhook,
    async listen(): Promise<string> {
      await riverhook.start()
      server.listen(0, '127.0.0.1')
      await new Promise((resolve) => server.once('listening', resolve))
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
    ready: () => riverhook.start()
  }
  return { app: app as unknown as Receiver['app'], lines, url: '' }
}
