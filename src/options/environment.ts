import { RiverhookError } from '../model/errors.ts'
import { joinProblems, findProblems } from '../model/option-rules.ts'
import { nearestNames } from '../model/nearest.ts'
import { msOf } from '../model/span.ts'
import type { BasicCredentials, TokenClient } from './endpoint-options.ts'
import type { Source } from '../source/source.ts'
import { isOfServer } from './problems.ts'
import type { RiverhookOptions } from './riverhook-options.ts'
import { readOptions } from './check-options.ts'
import type { ConfigFile } from './config-file.ts'
import { defaultSource } from './default-source.ts'
import { inVariables, mergeSettings, type ConfigOrigin } from './merge-settings.ts'
import { readAdminConfig, type AdminConfig } from './admin-config.ts'
import { apiSettings, serverSettings } from './server-settings.ts'
import { environmentSettings, variableOf, type Environment } from './variables.ts'
import type { Setting } from './setting.ts'
import { ofTokens, readSecretValue, splitLines, splitList, watchedList, type WatchedList } from './value-file.ts'

/** The start configuration of `riverhook serve`. */
export interface ServerConfig {
  readonly host: string
  readonly port: number
  readonly logLevel: string
  /** Milliseconds. Default: `5s`, and 0 in a terminal. */
  readonly drainDelay?: number
  /** Milliseconds. Default `10s`. */
  readonly requestTimeout?: number
  /** Default 1,000. */
  readonly maxConnections?: number
  /** The addresses of the proxies in front. Default: none. */
  readonly trustProxy?: readonly string[]
  /** The listener of the operator's API. Undefined: there is none. */
  readonly admin?: AdminConfig
  /** The plugin's options. */
  readonly options: RiverhookOptions
  /** Watches the files of secrets and tokens, if any, and reports errors. Returns a function that stops it. */
  readonly watch?: WatchedList['watch'] | undefined
  /** Likely mistakes that do not prevent the start. */
  readonly warnings: readonly string[]
  /** The config file, and the variables that override something in it. Undefined if there is none. */
  readonly configFile?: { readonly path: string; readonly overriddenBy: readonly string[] }
  /** Where each setting came from, so that errors use the name that the user wrote. */
  readonly origin?: ConfigOrigin
}

export type { Environment } from './variables.ts'

/** Not read as values: credentials may be in a file, the client of the API reads its own, and a source is loaded. */
const readElsewhere: readonly (string | undefined)[] = [
  ...['secrets', 'basicAuth', 'bearer', 'tokenEndpoint.clients', 'tokenEndpoint.keys'],
  ...['source', 'forwardSecret', 'adminTokens'],
  ...Object.keys(apiSettings)
]

/**
 * Reads the configuration from the environment and the config file. A variable overrides the file.
 * @param found what `loadSourceOf(environment)` returned or threw, if `RIVERHOOK_SOURCE` is set
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names every wrong setting and its rule, never a value
 */
export function readConfig(environment: Environment, file?: ConfigFile, found?: Source | RiverhookError): ServerConfig {
  if (environment['RIVERHOOK_SOURCE'] !== undefined && found === undefined)
    throw new TypeError('readConfig: load the source of RIVERHOOK_SOURCE first')
  const problems: string[] = found instanceof RiverhookError ? [found.message] : []
  // The other settings of an endpoint without its source are checked as far as they do not depend on it.
  const source = found instanceof RiverhookError ? { ...defaultSource(), limits: undefined } : found
  const read = <Value>(reading: () => Value): Value | undefined => {
    try {
      return reading()
    } catch (error) {
      if (!(error instanceof RiverhookError)) throw error
      problems.push(error.message)
      return undefined
    }
  }
  const values = Object.entries(environmentSettings).flatMap(([path, setting]): [string, unknown][] => {
    if (readElsewhere.includes(path)) return []
    const value = read(() => readSetting(setting, environment))
    return value === undefined ? [] : [[path, value]]
  })
  const credentials = readCredentials(environment, read)
  const given = [...values, ...Object.entries({ ...credentials, ...(source === undefined ? {} : { source }) })]
  const merged = mergeSettings(file, given, environment)
  const config: ConfigOrigin = { file, variables: merged.applied }
  const admin = readAdminConfig(merged.server)
  const unknown = unknownNames(environment)
  problems.push(...merged.problems, ...admin.problems, ...unknown.problems)
  if (file !== undefined || source !== undefined || problems.length > 0) {
    // A missing setting is reported by the commands that need it; all other problems are reported together.
    const all = readOptions(merged.options).problems.filter(({ code }) => code !== 'RIVERHOOK_OPTIONS_NO_CREDENTIALS')
    const ends = problems.length > 0 || all.some(({ code }) => !isOfServer(code))
    if (ends) problems.push(...all.map(({ text }) => text))
  }
  if (problems.length > 0)
    throw inVariables(new RiverhookError('RIVERHOOK_OPTIONS_INVALID', joinProblems(problems)), config)
  const { host, port, logLevel, drainDelay, requestTimeout, maxConnections } = merged.server as Partial<ServerValues>
  const { trustProxy } = merged.server as { readonly trustProxy?: readonly string[] }
  return {
    host: host ?? serverSettings.host.default,
    port: port ?? serverSettings.port.default,
    logLevel: logLevel ?? serverSettings.logLevel.default,
    ...(drainDelay === undefined ? {} : { drainDelay: msOf(drainDelay) }),
    ...(requestTimeout === undefined ? {} : { requestTimeout: msOf(requestTimeout) }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
    ...(trustProxy === undefined ? {} : { trustProxy }),
    ...(admin.config === undefined ? {} : { admin: admin.config }),
    options: merged.options,
    watch: watchAll([credentials.secrets, credentials.adminTokens, credentials['tokenEndpoint.keys']]),
    warnings: [...unknown.warnings, ...exposureWarnings(file)],
    ...(file === undefined ? {} : { configFile: { path: file.path, overriddenBy: merged.overriddenBy } }),
    origin: config
  }
}

/** Watches those of the lists that are in files. Undefined if none is. */
function watchAll(lists: readonly (readonly string[] | WatchedList | undefined)[]): ServerConfig['watch'] {
  const inFiles = lists.filter((list): list is WatchedList => typeof list === 'function')
  if (inFiles.length === 0) return undefined
  return (report) => {
    const ends = inFiles.map((list) => list.watch(report))
    return () => {
      for (const end of ends) end()
    }
  }
}

type ServerValues = {
  readonly [Name in Exclude<
    keyof typeof serverSettings,
    `admin${string}` | 'trustProxy'
  >]: (typeof serverSettings)[Name]['default'] extends number ? number : string
}

function exposureWarnings(file: ConfigFile | undefined): string[] {
  if (file === undefined || file.exposed.length === 0) return []
  return [
    `every user of this machine can write to the config file and so run code in this process; run chmod o-w ${file.exposed.join(' ')}`
  ]
}

/**
 * Converts one value that is not a credential to its type.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID
 */
function readSetting(setting: Setting, environment: Environment): unknown {
  const { rule } = setting
  const env = variableOf(setting, environment)
  const isInFile = setting.file === true && environment[`${env}_FILE`] !== undefined
  const given = isInFile ? readSecretValue(env, environment) : environment[env]
  if (given === undefined) return undefined
  if (given === '') throw invalid(env, 'is empty; unset it for the default')
  if (env === serverSettings.port.env && given.includes('://')) {
    // Kubernetes sets NAME_PORT to an address like tcp://10.0.0.1:8080 for a Service with that name.
    throw invalid(
      env,
      'holds an address, which Kubernetes sets for a Service named "riverhook": set enableServiceLinks: false in the pod, or set RIVERHOOK_PORT yourself'
    )
  }
  if (rule.kind === 'span' && /^\d+(\.\d+)?$/.test(given) && Number(given) !== 0)
    throw invalid(env, 'must have a unit: write 500ms, 30s, 5m, 24h or 30d, not only a number')
  const value = parse(rule.kind, given)
  const [problem] = findProblems(rule, value, env)
  if (problem !== undefined) throw invalid(problem.name, problem.problem)
  return value
}

/**
 * Converts the text of a variable to the type of its setting. A text that cannot be converted is returned unchanged, so
 * that the setting's rule reports it.
 */
function parse(kind: Setting['rule']['kind'], given: string): unknown {
  switch (kind) {
    case 'whole':
      return /^-?\d+$/.test(given) ? Number(given) : given
    case 'boolean':
      return given === 'true' ? true : given === 'false' ? false : given
    case 'span':
      // Zero needs no unit.
      return Number(given) === 0 ? '0s' : given
    case 'list':
      return given.split(',').map((item) => item.trim())
    case undefined:
      return given
  }
}

type Credentials = Pick<RiverhookOptions, 'basicAuth' | 'bearer' | 'forwardSecret'> & {
  readonly secrets?: readonly string[] | WatchedList
  readonly adminTokens?: readonly string[] | WatchedList
  readonly 'tokenEndpoint.clients'?: readonly TokenClient[]
  readonly 'tokenEndpoint.keys'?: readonly string[] | WatchedList
}

/** @param read its errors are reported */
function readCredentials(
  environment: Environment,
  read: <Value>(reading: () => Value) => Value | undefined
): Credentials {
  const valueOf = (name: string): string | undefined => readSecretValue(name, environment)
  // A file is read again when it changes, so that a rotation needs no restart.
  const listOf = (name: string, what: string): readonly string[] | WatchedList | undefined =>
    read(() => {
      const value = valueOf(name)
      const file = environment[`${name}_FILE`]
      if (value === undefined) return undefined
      return file === undefined ? parseList(name, value) : watchedFile(`${name}_FILE`, file, value, what)
    })
  const secrets = listOf('RIVERHOOK_SECRETS', 'secret')
  const tokenKeys = listOf('RIVERHOOK_TOKEN_KEYS', 'key')
  const tokenClients = read(() => {
    const value = valueOf('RIVERHOOK_TOKEN_CLIENTS')
    return value === undefined ? undefined : parseClients(value)
  })
  const basicAuth = read(() => {
    const value = valueOf('RIVERHOOK_BASIC_AUTH')
    return value === undefined ? undefined : parseBasicAuth(value)
  })
  const bearer = read(() => {
    const value = valueOf('RIVERHOOK_BEARER')
    return value === undefined ? undefined : parseList('RIVERHOOK_BEARER', value)
  })
  const forwardSecret = read(() => {
    const value = valueOf('RIVERHOOK_FORWARD_SECRET')
    return value === undefined ? undefined : parseList('RIVERHOOK_FORWARD_SECRET', value)
  })
  const tokensFile = environment['RIVERHOOK_ADMIN_TOKENS_FILE']
  const adminTokens = read(() => {
    const value = valueOf('RIVERHOOK_ADMIN_TOKENS')
    if (value === undefined) return undefined
    if (splitLines(value).length === 0)
      throw invalid('RIVERHOOK_ADMIN_TOKENS', 'has no line; riverhook admin token makes one')
    return tokensFile === undefined
      ? splitLines(value)
      : watchedList('RIVERHOOK_ADMIN_TOKENS_FILE', tokensFile, value, undefined, ofTokens)
  })
  return {
    ...(adminTokens === undefined ? {} : { adminTokens }),
    ...(secrets === undefined ? {} : { secrets }),
    ...(tokenClients === undefined ? {} : { 'tokenEndpoint.clients': tokenClients }),
    ...(tokenKeys === undefined ? {} : { 'tokenEndpoint.keys': tokenKeys }),
    ...(basicAuth === undefined ? {} : { basicAuth }),
    ...(bearer === undefined ? {} : { bearer }),
    ...(forwardSecret === undefined ? {} : { forwardSecret })
  }
}

/** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when the file holds none */
function watchedFile(name: string, path: string, content: string, what: string): WatchedList {
  if (splitList(content).length === 0) throw invalid(name, `names ${path}, which holds no ${what}`)
  return watchedList(name, path, content)
}

function parseList(name: string, value: string): string[] {
  const list = splitList(value)
  if (list.length === 0) throw invalid(name, 'is empty')
  return list
}

function parseBasicAuth(value: string): BasicCredentials {
  // A Kubernetes Secret that was made with `echo` ends in a line end, in a variable too.
  const [, username, password] = /^([^:\r\n]+):([^\r\n]+)$/.exec(value.replace(/\r?\n$/, '')) ?? []
  if (username === undefined || password === undefined)
    throw invalid('RIVERHOOK_BASIC_AUTH', 'must be user:password, in one line')
  return { username, password }
}

/** Reads one client for each line. An error names the line by its number: it holds secrets. */
function parseClients(value: string): TokenClient[] {
  const lines = splitLines(value)
  if (lines.length === 0) throw invalid('RIVERHOOK_TOKEN_CLIENTS', 'has no line')
  return lines.map((line, index) => {
    const [clientID = '', clientSecret, userName, password, ...rest] = line.split(/\s+/)
    if (clientSecret === undefined || rest.length > 0 || (userName !== undefined && password === undefined))
      throw invalid(
        'RIVERHOOK_TOKEN_CLIENTS',
        `must have one client a line, ID SECRET or ID SECRET USER PASSWORD; line ${index + 1} has another form`
      )
    return { clientID, clientSecret, ...(userName === undefined ? {} : { userName, password }) }
  })
}

/**
 * Finds variables that are no settings. One that resembles a setting is a problem: most likely it is misspelt, and the
 * server would start without it. Any other is a warning. Ignores those that Kubernetes sets for a Service of that name,
 * such as RIVERHOOK_SERVICE_HOST.
 */
function unknownNames(environment: Environment): {
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
} {
  const known = ['RIVERHOOK_CONFIG']
    .concat(
      Object.values(environmentSettings).flatMap(({ env = '', file }) => (file === true ? [env, `${env}_FILE`] : [env]))
    )
    .filter((name) => name.startsWith(prefix))
  // Without their common prefix, which would make all of them similar.
  const endings = known.map((name) => name.slice(prefix.length))
  const unknown = Object.keys(environment)
    .filter((name) => name.startsWith(prefix) && !known.includes(name) && !/_(?:SERVICE|PORT)_/.test(name))
    .map((name) => ({ name, nearest: nearestNames(name.slice(prefix.length), endings)[0] }))
  return {
    problems: unknown.flatMap(({ name, nearest }) =>
      nearest === undefined
        ? []
        : [`${name} is not a setting; did you mean ${prefix}${nearest}? Otherwise unset it, or give it another name`]
    ),
    warnings: unknown.flatMap(({ name, nearest }) =>
      nearest === undefined ? [`${name} is not a setting and is ignored`] : []
    )
  }
}

const prefix = 'RIVERHOOK_'

function invalid(name: string, rule: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `${name} ${rule}`)
}
