import { readClock } from '../../model/option-rules.ts'
import type { Inbox } from '../inbox.ts'
import { lateEngine } from '../late-engine.ts'

/**
 * Creates an inbox in the memory of this process: its events are lost when the process ends. For tests and trials.
 * @param options.clock for tests: the time in milliseconds since the epoch
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option
 */
export function memoryInbox(options: { clock?: () => number } = {}): Inbox {
  const now = readClock(options, 'memoryInbox')
  return lateEngine({
    name: 'memory',
    has: ['recordAndClaim'],
    load: async () => new (await import('./memory-inbox.ts')).MemoryInbox(now)
  })
}
