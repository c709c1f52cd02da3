import { isAnyOf, isText } from '../model/option-rules.ts'
import { hasMethods, type Setting } from './setting.ts'

/** Apart from the other settings, because each command needs it. */
export const inboxSetting = {
  rule: isAnyOf(
    'an address like "sqlite:PATH", "postgres://..." or "memory:", or an Inbox',
    isText,
    hasMethods('record', 'claim', 'settle')
  ),
  default: 'sqlite:riverhook.db',
  env: 'RIVERHOOK_INBOX',
  file: true,
  also: ['database', 'databaseUrl', 'db', 'store', 'storage', 'queue', 'connectionString'],
  means:
    'Where events are stored: `sqlite:PATH`, `postgres://USER:PASSWORD@HOST/DATABASE`, or `memory:` (lost when the process ends); in code also an Inbox'
} as const satisfies Setting
