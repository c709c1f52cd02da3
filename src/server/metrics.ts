import type { MetricsOptions } from '../index.ts'
import { createRegistry } from '../programs.ts'
import type { ServerConfig } from '../options/environment.ts'

type ServerMetrics = Required<MetricsOptions> & { readonly registry: NonNullable<MetricsOptions['registry']> }

/**
 * The metrics of a server with the operator's API, which has the page of them: with those of the process, in their own
 * registry. A registry of the config file stays as it is. Undefined if the metrics are off.
 */
export async function serverMetrics({
  admin,
  options: { metrics = admin !== undefined }
}: Pick<ServerConfig, 'admin' | 'options'>): Promise<ServerMetrics | undefined> {
  if (metrics === false) return undefined
  const exemplars = metrics !== true && metrics.exemplars === true
  if (metrics !== true && metrics.registry !== undefined) return { registry: metrics.registry, exemplars }
  const { collectDefaultMetrics, Registry } = await import('@prometheus-io/client')
  const registry = createRegistry(Registry, exemplars)
  collectDefaultMetrics({ register: registry })
  return { registry, exemplars }
}
