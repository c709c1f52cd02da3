import { isBoolean } from '../model/option-rules.ts'
import { withMessage, type Settings } from './setting.ts'

const url = withMessage(
  {
    expected: 'an http or https URL with {traceId}',
    accepts: (value) => typeof value === 'string' && /^https?:\/\/[^\s/]\S*$/.test(value) && value.includes('{traceId}')
  },
  'must be an http or https URL with {traceId}, such as https://traces.example/trace/{traceId}'
)

/** The settings of `trace`. */
export const traceSettings = {
  trustIncoming: {
    rule: isBoolean,
    env: 'RIVERHOOK_TRACE_TRUST_INCOMING',
    also: ['trust', 'trustParent', 'continue'],
    means:
      '`true`: a request that is not inside a span of your code continues the trace that its header `traceparent` names. Otherwise its span has a link to that trace'
  },
  url: {
    rule: url,
    env: 'RIVERHOOK_TRACE_URL',
    also: ['link', 'template', 'traceUrl'],
    means:
      "The page of a trace in your tracing service, such as `https://traces.example/trace/{traceId}`: `events show` and the operator's page link to it"
  }
} as const satisfies Settings
