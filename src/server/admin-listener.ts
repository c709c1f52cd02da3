import { isIP } from 'node:net'

import Fastify, { type FastifyInstance } from 'fastify'

import type { AdminOptions } from '../admin/index.ts'
import { RiverhookError, type Riverhook } from '../index.ts'
import type { AdminConfig } from '../options/admin-config.ts'
import { inVariables, type ConfigOrigin } from '../options/merge-settings.ts'
import { limitedHttp } from './limited-http.ts'
import { listenAddress } from './listen-address.ts'
import { BrokenRequests } from './refuse.ts'

/** The most open connections. */
const mostConnections = 200

export interface AdminListenerOptions {
  /** In milliseconds. */
  readonly requestTimeout: number
  /** The registry of the server's metrics; undefined if they are off. */
  readonly metrics: { readonly contentType: string } | undefined
  readonly origin?: ConfigOrigin | undefined
  /** False: everything is checked, and no port is opened. */
  readonly listens: boolean
}

/**
 * Adds the operator's API to a server, on a separate listener: the port of the webhook is open to the world. It
 * begins to listen when the inbox is open, and closes with the server.
 * @throws {RiverhookError} RIVERHOOK_ADMIN_NO_LOGIN, RIVERHOOK_OPTIONS_INVALID
 */
export async function addAdminListener(
  app: FastifyInstance,
  config: AdminConfig,
  { requestTimeout, metrics, origin, listens }: AdminListenerOptions
): Promise<void> {
  // Not loaded by a server without it.
  const [{ admin }, { healthRoute }, { metricsRoute }] = await Promise.all([
    import('../admin/index.ts'),
    import('../admin/health.ts'),
    import('../admin/metrics.ts')
  ])
  const broken = new BrokenRequests()
  const listener = Fastify({
    loggerInstance: app.log,
    ...limitedHttp(requestTimeout, broken),
    // A live tail has no end.
    forceCloseConnections: true
  })
  broken.watch(listener.server)
  listener.server.maxConnections = mostConnections
  await listener.register(healthRoute, { riverhook: app.riverhook })
  try {
    const options = optionsOf(app, config)
    await listener.register(admin, options)
    if (metrics !== undefined) {
      const { contentType } = metrics
      await listener.register(metricsRoute, { ...options, contentType, isOpen: config.areMetricsOpen })
    }
  } catch (error) {
    throw inVariables(inOwnNames(error), origin)
  }
  app.addHook('onReady', async () => {
    await (listens ? listen(app, listener, config) : listener.ready())
  })
  app.addHook('onClose', () => listener.close())
}

function optionsOf(
  app: FastifyInstance,
  { host, tokens, hosts, proxy }: AdminConfig
): AdminOptions & { readonly riverhook: Riverhook } {
  return {
    riverhook: app.riverhook,
    hosts: isIP(host) === 0 ? [...hosts, host] : hosts,
    ...(tokens === undefined ? {} : { tokens }),
    // The scopes are checked by the API.
    ...(proxy === undefined ? {} : { proxy: proxy as NonNullable<AdminOptions['proxy']> })
  }
}

async function listen(
  app: FastifyInstance,
  listener: FastifyInstance,
  { host, port, proxy, onListen }: AdminConfig
): Promise<void> {
  const address = await listenAddress(host)
  try {
    const text = (url: string): string => `operator's API listening at ${url}`
    const url = await listener.listen({ host: address, port, listenTextResolver: text })
    onListen?.(url)
  } catch (error) {
    const { code = 'it failed' } = error as NodeJS.ErrnoException
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `RIVERHOOK_ADMIN: cannot listen on ${host}:${port}: ${code}. Choose another address or port of this machine`,
      { cause: error }
    )
  }
  if (!isLoopback(address) && proxy === undefined)
    app.log.warn(
      { address },
      "the operator's API listens beyond this machine, without TLS: put a proxy with TLS in front of it; over plain HTTP, browsers do not keep its session"
    )
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}

/** The names of the options of the API, as settings of the server. */
const settingOf: Readonly<Record<string, string>> = {
  tokens: 'adminTokens',
  'proxy.header': 'adminProxyHeader',
  'proxy.from': 'adminProxyFrom',
  'proxy.operators': 'adminProxyOperators'
}

function inOwnNames(error: unknown): unknown {
  if (!(error instanceof RiverhookError)) return error
  const message = error.message.replace(/Option "([^"]+)"/, (whole, name: string) =>
    settingOf[name] === undefined ? whole : `Option "${settingOf[name]}"`
  )
  return new RiverhookError(error.code, message, { cause: error })
}
