import { alarmNames } from '../model/alarm.ts'
import { forwardSecretProblem, forwardUrlProblem } from '../model/forwarding.ts'
import { isListOf, isOneOf, isSpan, type OptionRule } from '../model/option-rules.ts'
import { quietHoursProblem } from '../model/quiet-hours.ts'
import type { Settings } from './setting.ts'

/** A rule whose text may not show the value: it may be, or hold, a credential. */
const hidden = (problem: (value: unknown) => string | undefined, expected: string): OptionRule => ({
  expected,
  accepts: (value) => problem(value) === undefined,
  problem
})

const url = hidden(forwardUrlProblem, 'an http or https URL')
const secret = hidden(forwardSecretProblem, 'a secret')

/** The settings of `alarms`. */
export const alarmSettings = {
  url: {
    rule: url,
    env: 'RIVERHOOK_ALARM_URL',
    file: true,
    also: ['webhook', 'webhookUrl', 'endpoint', 'slack'],
    means: 'A URL to which alarms are POSTed as JSON, such as an incoming webhook of Slack'
  },
  secret: {
    rule: secret,
    env: 'RIVERHOOK_ALARM_SECRET',
    file: true,
    also: ['signingSecret', 'key'],
    means:
      'The key that signs the requests to `RIVERHOOK_ALARM_URL`, by the rules of Standard Webhooks: at least 24 bytes in Base64'
  },
  heartbeat: {
    rule: url,
    env: 'RIVERHOOK_HEARTBEAT_URL',
    file: true,
    also: ['heartbeatUrl', 'deadManSwitch'],
    means:
      'A URL that is fetched every minute while requests can be recorded, for a service that raises an alarm when that ends'
  },
  silence: {
    rule: isSpan({ min: '1m', max: '365d' }),
    env: 'RIVERHOOK_ALARM_SILENCE',
    means: 'How long an endpoint may get no authentic request. Default: learnt from the last days'
  },
  quietHours: {
    rule: {
      expected: 'two times of day and a time zone',
      accepts: (value) => quietHoursProblem(value) === undefined,
      problem: quietHoursProblem
    },
    env: 'RIVERHOOK_ALARM_QUIET_HOURS',
    also: ['quiet', 'mute', 'silenceExcept'],
    means:
      'Hours of each day that do not count as silence, with a time zone, such as `22:00-07:00 Europe/Berlin`. Needs `RIVERHOOK_ALARM_SILENCE`'
  },
  skip: {
    rule: { ...isListOf(isOneOf(...alarmNames), `a list of ${alarmNames.join(', ')}`), kind: 'list' },
    env: 'RIVERHOOK_ALARM_SKIP',
    also: ['except', 'ignore', 'disabled'],
    means: 'Conditions that raise no alarm, comma-separated, such as `drift, parked`'
  },
  every: {
    rule: isSpan({ min: '50ms', max: '60s', maxReason: 'an alarm would come late' }),
    default: '30s',
    env: 'RIVERHOOK_ALARM_EVERY',
    also: ['interval'],
    means: 'How often the conditions are checked. Alarms of one check are one message'
  }
} as const satisfies Settings
