import type { RetentionSpans } from '../model/retention-spans.ts'
import { msOf } from '../model/span.ts'
import type { RiverhookOptions } from '../options/riverhook-options.ts'
import { pluginSettings } from '../options/settings.ts'

/** Reads how long events are kept. A default that is shorter than `retention` is raised to it. */
export function readRetention(
  options: Pick<RiverhookOptions, 'retention' | 'deadRetention' | 'quarantineRetention'>
): RetentionSpans {
  const { retention, deadRetention, quarantineRetention } = pluginSettings
  const doneMs = msOf(options.retention ?? retention.default)
  const atLeast = (span: number | string): number => Math.max(doneMs, msOf(span))
  return {
    doneMs,
    deadMs: atLeast(options.deadRetention ?? deadRetention.default),
    quarantinedMs: atLeast(options.quarantineRetention ?? quarantineRetention.default)
  }
}
