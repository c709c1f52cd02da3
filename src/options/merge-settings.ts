import { RiverhookError } from '../model/errors.ts'
import { didYouMean } from '../model/nearest.ts'
import { isPlainObject, findProblems } from '../model/option-rules.ts'
import { synonyms } from './check-options.ts'
import type { ConfigFile } from './config-file.ts'
import { apiSettings, serverSettings } from './server-settings.ts'
import type { Setting } from './setting.ts'
import { endpointSettings, pluginSettings } from './settings.ts'
import { environmentSettings, isSet, variableOf, type Environment } from './variables.ts'

type Values = Readonly<Record<string, unknown>>

/** Where the settings of a configuration came from. */
export interface ConfigOrigin {
  readonly file: Pick<ConfigFile, 'name'> | undefined
  /** The paths of the settings that variables set. */
  readonly variables: ReadonlySet<string>
}

/** The variable that switches a group on; without it, the other variables of the group have no effect. */
const switches = {
  register: 'register.address',
  backfill: 'backfill.every',
  tokenEndpoint: 'tokenEndpoint.clients'
} as const

const knownNames: readonly string[] = [
  ...Object.keys({ ...serverSettings, ...endpointSettings, ...pluginSettings }),
  'endpoints'
]

/**
 * Overrides the settings of the config file with those of variables.
 * @param given the settings of variables, by their path in code
 * @returns the settings of the server, the options of the plugin, and the problems of the merge and of the server's
 * settings; the options are not checked
 */
export function mergeSettings(
  file: ConfigFile | undefined,
  given: readonly (readonly [path: string, value: unknown])[],
  environment: Environment
): {
  readonly server: Values
  readonly options: Values
  readonly overriddenBy: readonly string[]
  /** The paths of the settings that variables set. */
  readonly applied: ReadonlySet<string>
  readonly problems: readonly string[]
} {
  const inFile: Values = Object.fromEntries(
    Object.entries(file?.config ?? {}).filter(([, value]) => value !== undefined)
  )
  const problems = Object.keys(inFile)
    .filter((name) => !knownNames.includes(name))
    .map((name) => `Option "${name}" is unknown${didYouMean(name, knownNames, { synonyms })}`)
  const server: Record<string, unknown> = {}
  for (const [name, { rule }] of Object.entries<Setting>(serverSettings)) {
    const value = inFile[name]
    if (value === undefined) continue
    const wrong = findProblems(rule, value, name)
    problems.push(...wrong.map((each) => `Option "${each.name}" ${each.problem}`))
    if (wrong.length === 0) server[name] = value
  }
  const isOption = (name: string): boolean => knownNames.includes(name) && !Object.hasOwn(serverSettings, name)
  const { endpoints, ...rest } = Object.fromEntries(Object.entries(inFile).filter(([name]) => isOption(name)))
  const list = Array.isArray(endpoints) ? (endpoints as readonly unknown[]) : undefined
  // Treat a list of one endpoint as a single endpoint.
  const [first] = list ?? []
  const single = list?.length === 1 && isPlainObject(first) ? { ...first } : undefined
  const top: Record<string, unknown> = { ...rest }
  const endpoint: Record<string, unknown> = single ?? top
  const overriddenBy: string[] = []
  const applied = new Set<string>()
  for (const [path, value] of given) {
    const [name = '', field] = path.split('.')
    const setting = environmentSettings[path]
    const env = setting === undefined ? '' : variableOf(setting, environment)
    const isOfEndpoint = Object.hasOwn(endpointSettings, name) || name === 'source'
    if (isOfEndpoint && endpoints !== undefined && single === undefined) {
      problems.push(
        `${env} is of a single endpoint, and ${file?.name ?? 'the config file'} has a list of them: set "${path}" there, at the endpoint that it is for; to read it from a variable, give the variable another name`
      )
      continue
    }
    const target = Object.hasOwn(serverSettings, name) ? server : isOfEndpoint ? endpoint : top
    const before = field === undefined ? target[name] : (target[name] as Values | undefined)?.[field]
    if (before !== undefined) overriddenBy.push(env)
    applied.add(path)
    target[name] = field === undefined ? value : { ...(target[name] as Values | undefined), [field]: value }
    // It is the source of the handlers, too, that name none.
    if (name === 'source') top[name] = value
  }
  problems.push(...idleVariables(endpoint, environment))
  overriddenBy.push(...dropApiSettings(endpoint, environment))
  return {
    server,
    options:
      single === undefined
        ? endpoints === undefined
          ? top
          : { ...top, endpoints }
        : { ...top, endpoints: [endpoint] },
    overriddenBy,
    applied,
    problems
  }
}

/** Finds variables without effect, because neither a variable nor the config file switches their group on. */
function* idleVariables(endpoint: Values, environment: Environment): Iterable<string> {
  for (const [group, path] of Object.entries(switches)) {
    const needed = environmentSettings[path]
    if (needed === undefined || isSet(needed, environment)) continue
    const idle = Object.entries(environmentSettings).filter(
      ([other, setting]) => other.startsWith(`${group}.`) && isSet(setting, environment)
    )
    // With a config file, the group may have more settings than these variables set.
    const part = endpoint[group]
    if (isPlainObject(part) && Object.keys(part).length > idle.length) continue
    for (const [, { env = '' }] of idle) yield `${env} has no effect without ${needed.env ?? ''}`
  }
}

/** Passes the variables that the API's client reads as options, so that they override those of the config file. */
function dropApiSettings(endpoint: Record<string, unknown>, environment: Environment): string[] {
  const overriddenBy = new Set<string>()
  for (const group of Object.keys(switches)) {
    const part = endpoint[group]
    if (!isPlainObject(part)) continue
    for (const name of ['apiKey', 'apiUrl'] as const) {
      if (part[name] === undefined || !isSet(apiSettings[name], environment)) continue
      overriddenBy.add(apiSettings[name].env)
      endpoint[group] = { ...(endpoint[group] as Values), [name]: undefined }
    }
  }
  return [...overriddenBy]
}

/**
 * Rewrites an error about options: replaces the names in code by the names that the user wrote, the variable or the
 * option in the config file.
 */
export function inVariables(error: unknown, origin?: ConfigOrigin): unknown {
  if (!(error instanceof RiverhookError) || !error.code.startsWith('RIVERHOOK_OPTIONS_')) return error
  const { file, variables } = origin ?? {}
  const message = error.message.replaceAll(
    /^((?: *- )?)Option "((?:endpoints\[0\]\.)?)([^"]+)"/gm,
    (whole, start: string, entry: string, name: string) => {
      const env = environmentSettings[name]?.env
      if (env !== undefined && (file === undefined || variables?.has(name) === true)) return `${start}${env}`
      return file === undefined ? whole : `${start}${file.name}: option "${entry}${name}"`
    }
  )
  return new RiverhookError(error.code, message, { cause: error })
}
