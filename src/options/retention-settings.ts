import { isSpan } from '../model/option-rules.ts'
import { providerName } from './default-names.ts'
import type { Settings } from './setting.ts'

/** A hundred years are as good as for ever. */
const rule = isSpan({ min: '1ms', max: '36500d' })

/** The settings of how long events are kept. */
export const retentionSettings = {
  deadRetention: {
    rule,
    default: '180d',
    env: 'RIVERHOOK_RETENTION_DEAD',
    also: ['deadLetterRetention', 'retentionDead', 'dlqRetention'],
    means:
      'How long events with dead letters or parked deliveries are kept after the last of these became dead or was due; at least `retention`'
  },
  quarantineRetention: {
    rule,
    default: '180d',
    env: 'RIVERHOOK_RETENTION_QUARANTINE',
    also: ['quarantinedRetention', 'retentionQuarantine'],
    means: 'How long quarantined requests are kept after their arrival; at least `retention`'
  },
  retention: {
    rule,
    default: '30d',
    env: 'RIVERHOOK_RETENTION',
    also: ['ttl', 'keepFor', 'retentionDays'],
    means: `How long events are kept after their arrival, once all their deliveries are done; at least an hour longer than the provider retries, \`73h\` for ${providerName}`
  }
} as const satisfies Settings
