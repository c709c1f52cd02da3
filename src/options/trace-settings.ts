import { isBoolean } from '../model/option-rules.ts'
import type { Settings } from './setting.ts'

/** The settings of `trace`. */
export const traceSettings = {
  trustIncoming: {
    rule: isBoolean,
    env: 'RIVERHOOK_TRACE_TRUST_INCOMING',
    also: ['trust', 'trustParent', 'continue'],
    means:
      '`true`: a request outside a span of your own continues the trace of its header `traceparent`; otherwise its trace links to that one'
  }
} as const satisfies Settings
