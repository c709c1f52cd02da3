import { memoryInbox } from '../../src/index.ts'
import type { MetricsSubject } from '../../src/observe/metrics/metrics.ts'

/** A receiver that has nothing to say at a scrape: for what the channels count. */
export function quietSubject(given: Pick<MetricsSubject, 'endpoints' | 'handlers' | 'types'>): MetricsSubject {
  return {
    ...given,
    inbox: memoryInbox(),
    version: '1',
    canRecord: async () => true,
    running: () => new Map(),
    registrations: () => [],
    alarms: () => [],
    spanIds: () => undefined,
    log: { debug: () => undefined, warn: () => undefined }
  }
}
