import type { FastifyRequest } from 'fastify'

import { isTrustedProxy, type ProxyAddresses } from './proxy.ts'

/**
 * The path under which the browser sees the plugin, without a slash at its end: the prefix that a trusted proxy has
 * taken away (`X-Forwarded-Prefix`), and the prefix of the plugin.
 */
export function basePath(request: FastifyRequest, prefix: string, proxies: ProxyAddresses | undefined): string {
  const forwarded = request.headers['x-forwarded-prefix']
  const isPath = typeof forwarded === 'string' && /^(?:\/[\w.~-]+)+\/?$/.test(forwarded)
  return isPath && isTrustedProxy(proxies, request) ? `${forwarded.replace(/\/$/, '')}${prefix}` : prefix
}
