import { Ajv } from 'ajv'
import { closest } from 'fastest-levenshtein'

import { RiverhookError } from '../model/errors.ts'
import type { RiverhookOptions } from './riverhook-options.ts'
import { nestManaged, places } from './managed.ts'
import { endpointSettings, pluginSettings, spanProblem, toMs } from './settings.ts'
import type { BasicCredentials, Setting, SpanBounds } from './settings.ts'
import { readValueFile, splitList, watchedList, type WatchedList } from './value-file.ts'
import { apiSettings, serverSettings } from './server-settings.ts'

/** What `riverhook serve` is started with. */
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
  /** For the plugin. */
  readonly options: RiverhookOptions
  /** Watches the file of the secrets, if they are in one, and passes its faults on. Returns a function that ends it. */
  readonly watch?: WatchedList['watch'] | undefined
  /** What looks like a mistake and does not stop the start. */
  readonly warnings: readonly string[]
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Every setting that has an environment variable, by its name in code. */
export const environmentSettings: Readonly<Record<string, Setting>> = Object.fromEntries(
  Object.entries<Setting>({ ...serverSettings, ...endpointSettings, ...pluginSettings, ...apiSettings }).filter(
    ([, { env }]) => env !== undefined
  )
)

/**
 * Reads the configuration from the environment.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the variable and the rule, never a value
 */
export function readConfig(environment: Environment): ServerConfig {
  checkPort(environment)
  const values = Object.fromEntries(
    Object.entries(environmentSettings).flatMap(([name, setting]) => {
      const value = readSetting(setting, environment)
      return value === undefined ? [] : [[name, value]]
    })
  )
  const { host, port, logLevel, drainDelay, requestTimeout, maxConnections, ...options } = values
  const credentials = readCredentials(environment)
  return {
    host: (host as string | undefined) ?? serverSettings.host.default,
    port: (port as number | undefined) ?? serverSettings.port.default,
    logLevel: (logLevel as string | undefined) ?? serverSettings.logLevel.default,
    ...(drainDelay === undefined ? {} : { drainDelay: toMs(drainDelay as string) ?? 0 }),
    ...(requestTimeout === undefined ? {} : { requestTimeout: toMs(requestTimeout as string) ?? 0 }),
    ...(maxConnections === undefined ? {} : { maxConnections: maxConnections as number }),
    options: { ...nestManaged(options), ...credentials },
    watch: typeof credentials.secrets === 'function' ? credentials.secrets.watch : undefined,
    warnings: unknownNames(environment)
  }
}

/** Read elsewhere: from a variable or a file; the key and the URL of the API by its client. */
const credentialNames: readonly string[] = [
  'RIVERHOOK_SECRETS',
  'RIVERHOOK_BASIC_AUTH',
  'RIVERHOOK_BEARER',
  'DIGITAL_RIVER_API_KEY',
  'DIGITAL_RIVER_API_URL',
  'DIGITAL_RIVER_ALLOW_HTTP'
]

/** One value that is no credential, as its type. */
function readSetting({ env = '', schema, unit }: Setting, environment: Environment): unknown {
  const given = environment[env]
  if (given === undefined || credentialNames.includes(env)) return undefined
  if (given === '') throw invalid(env, 'is empty; leave it out to have the default')
  if ('span' in schema) {
    // Nothing needs no unit.
    const value = given === '0' ? '0s' : given
    const problem = spanProblem(value, schema['span'] as SpanBounds)
    if (problem !== undefined) throw invalid(env, problem)
    return value
  }
  const type =
    schema['type'] === 'integer' || schema['type'] === 'boolean'
      ? schema
      : { type: 'string', ...('enum' in schema ? { enum: schema['enum'] } : {}) }
  const data: Record<string, unknown> = { [env]: given }
  if (ajv.validate({ type: 'object', properties: { [env]: type } }, data)) return data[env]
  const allowed = 'enum' in schema ? ` (${(schema['enum'] as string[]).join(', ')})` : ''
  throw invalid(env, `${ajv.errors?.[0]?.message ?? 'is wrong'}${allowed}${unit === undefined ? '' : ` (${unit})`}`)
}

// A variable is text: it becomes what its setting is. The schemas are our own, and each is used once.
const ajv = new Ajv({
  coerceTypes: true,
  addUsedSchema: false,
  meta: false,
  validateSchema: false,
  code: { optimize: false }
})

type Credentials = Pick<RiverhookOptions, 'basicAuth' | 'bearer'> & {
  readonly secrets?: readonly string[] | WatchedList
}

function readCredentials(environment: Environment): Credentials {
  const secrets = valueOf('RIVERHOOK_SECRETS', environment)
  const basic = valueOf('RIVERHOOK_BASIC_AUTH', environment)
  const bearer = valueOf('RIVERHOOK_BEARER', environment)
  const secretsFile = environment['RIVERHOOK_SECRETS_FILE']
  return {
    // A file is read again when it changes, so that a rotation needs no restart.
    ...(secrets === undefined
      ? {}
      : {
          secrets: secretsFile === undefined ? listOf('RIVERHOOK_SECRETS', secrets) : watchedFile(secretsFile, secrets)
        }),
    ...(basic === undefined ? {} : { basicAuth: basicOf(basic) }),
    ...(bearer === undefined ? {} : { bearer: listOf('RIVERHOOK_BEARER', bearer) })
  }
}

/** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when no secret is in the file */
function watchedFile(path: string, content: string): WatchedList {
  if (splitList(content).length === 0) throw invalid('RIVERHOOK_SECRETS_FILE', `names ${path}, which holds no secret`)
  return watchedList('RIVERHOOK_SECRETS_FILE', path, content)
}

/** The value of a credential, from its variable or from the file that NAME_FILE names. */
function valueOf(name: string, environment: Environment): string | undefined {
  const [given, file] = [environment[name], environment[`${name}_FILE`]]
  if (given !== undefined && file !== undefined) throw invalid(name, `and ${name}_FILE are both set; keep one`)
  if (given === '') throw invalid(name, 'is empty')
  if (file === '') throw invalid(`${name}_FILE`, 'is empty; it must name a file, or be left out')
  if (file === undefined) return given
  return readValueFile(`${name}_FILE`, file)
}

function listOf(name: string, value: string): string[] {
  const list = splitList(value)
  if (list.length === 0) throw invalid(name, 'is empty')
  return list
}

function basicOf(value: string): BasicCredentials {
  // A Secret of Kubernetes that was made with `echo` ends in a line end, in a variable too.
  const [, username, password] = /^([^:\r\n]+):([^\r\n]+)$/.exec(value.replace(/\r?\n$/, '')) ?? []
  if (username === undefined || password === undefined)
    throw invalid('RIVERHOOK_BASIC_AUTH', 'must be user:password, in one line')
  return { username, password }
}

/** Kubernetes sets NAME_PORT to an address like tcp://10.0.0.1:8080 for a Service called NAME. */
function checkPort({ RIVERHOOK_PORT: port }: Environment): void {
  if (port?.includes('://') !== true) return
  throw invalid(
    'RIVERHOOK_PORT',
    'holds an address, which Kubernetes sets for a Service named "riverhook": set enableServiceLinks: false in the pod, or set RIVERHOOK_PORT yourself'
  )
}

/** Not refused: Kubernetes sets RIVERHOOK_SERVICE_HOST and the like for a Service of that name. */
function unknownNames(environment: Environment): string[] {
  const known = Object.values(environmentSettings).flatMap(({ env = '', file }) =>
    file === true ? [env, `${env}_FILE`] : [env]
  )
  return Object.keys(environment)
    .filter((name) => name.startsWith('RIVERHOOK_') && !known.includes(name) && !/_(?:SERVICE|PORT)_/.test(name))
    .map((name) => `${name} is not a setting and is ignored; did you mean ${closest(name, known)}?`)
}

/** The plugin names its options as in code; who configures by the environment knows them by their variables. */
export function inVariables(error: unknown): unknown {
  if (!(error instanceof RiverhookError) || error.code !== 'RIVERHOOK_OPTIONS_INVALID') return error
  const message = error.message.replace(/^Option "([\w.]+)"/, (whole, name: string) => {
    const placed = Object.entries(places).find(([, place]) => place.join('.') === name)?.[0] ?? name
    return environmentSettings[placed]?.env ?? whole
  })
  return new RiverhookError(error.code, message, { cause: error })
}

function invalid(name: string, rule: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `${name} ${rule}`)
}
