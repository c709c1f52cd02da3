import type { Registry } from '@prometheus-io/client'

import type { ServerConfig } from '../options/environment.ts'

/**
 * The metrics of a server with the operator's API, which has the page of them: with those of the process, in their own
 * registry. A registry of the config file stays as it is. Undefined if the metrics are off.
 */
export async function serverMetrics({
  admin,
  options: { metrics = admin !== undefined }
}: Pick<ServerConfig, 'admin' | 'options'>): Promise<{ readonly registry: Registry } | undefined> {
  if (metrics === false) return undefined
  if (metrics !== true && metrics.registry !== undefined) return { registry: metrics.registry }
  const { collectDefaultMetrics, Registry } = await import('@prometheus-io/client')
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return { registry }
}
