import { alarmSettings } from './alarm-settings.ts'
import { encryptionSettings } from './encryption-settings.ts'
import { apiSettings, serverSettings } from './server-settings.ts'
import { backfillSettings, endpointSettings, pluginSettings, registerSettings } from './settings.ts'
import { searchSettings } from './search-settings.ts'
import type { Setting, Settings } from './setting.ts'
import { tokenEndpointSettings } from './token-settings.ts'
import { traceSettings } from './trace-settings.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Prefixes the names of settings with their group. */
const within = (group: string, settings: Settings): Settings =>
  Object.fromEntries(Object.entries(settings).map(([name, setting]) => [`${group}.${name}`, setting]))

/** Every setting that has an environment variable, by its path in code. */
export const environmentSettings: Settings = Object.fromEntries(
  Object.entries<Setting>({
    ...serverSettings,
    ...endpointSettings,
    ...pluginSettings,
    ...apiSettings,
    ...within('tokenEndpoint', tokenEndpointSettings),
    ...within('register', registerSettings),
    ...within('backfill', backfillSettings),
    ...within('encryption', encryptionSettings),
    ...within('search', searchSettings),
    ...within('alarms', alarmSettings),
    ...within('trace', traceSettings)
  }).filter(([, { env }]) => env !== undefined)
)

/** The name of the variable that gives the setting its value, or would. */
export function variableOf({ env = '', elseEnv }: Setting, environment: Environment): string {
  return environment[env] === undefined && elseEnv !== undefined && environment[elseEnv] !== undefined ? elseEnv : env
}

/** Whether a variable, or the one that names its file, is set. */
export function isSet({ env = '', file }: Setting, environment: Environment): boolean {
  return environment[env] !== undefined || (file === true && environment[`${env}_FILE`] !== undefined)
}
