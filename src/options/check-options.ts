import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { closest } from 'fastest-levenshtein'

import { RiverhookError } from '../model/errors.ts'
import { isExposed, isPlainObject } from '../model/option-rules.ts'
import {
  endpointSettings,
  managedSettings,
  pluginSettings,
  spanProblem,
  toMs,
  type Endpoint,
  type Setting,
  type SpanBounds
} from './settings.ts'

// Options are checked once, at the start: code that is quick to make, not quick to run.
const ajv = new Ajv({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allErrors: false,
  verbose: true,
  meta: false,
  validateSchema: false,
  code: { optimize: false }
})
ajv.addKeyword({
  keyword: 'typeof',
  schemaType: 'string',
  validate: (wanted: string, value: unknown) => typeof value === wanted
})
ajv.addKeyword({
  keyword: 'span',
  schemaType: 'object',
  validate: (bounds: SpanBounds, value: unknown) => spanProblem(value, bounds) === undefined
})

// Compiled when it is first needed: most commands check no options, and this costs a tenth of a second.
let compiled: { readonly endpoint: ValidateFunction; readonly plugin: ValidateFunction } | undefined

function validators(): NonNullable<typeof compiled> {
  return (compiled ??= {
    endpoint: ajv.compile(schemaOf(endpointSettings)),
    // The settings of a single endpoint may stand here too: they are checked as those of any endpoint are.
    plugin: ajv.compile(
      schemaOf({
        ...pluginSettings,
        ...Object.fromEntries(endpointNames.map((name) => [name, { schema: {} }])),
        endpoints: { schema: { type: 'array', minItems: 1, items: { type: 'object' } } }
      })
    )
  })
}

/**
 * Checks the plugin's options and gives its endpoints with every setting filled in. An option that is undefined, at
 * any depth, is not given: its default holds.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, RIVERHOOK_OPTIONS_NO_CREDENTIALS; the message names the option
 */
export function checkOptions(given: Readonly<Record<string, unknown>>): readonly Endpoint[] {
  const options = withoutUndefined(given, pluginSettings)
  const holds = validators().plugin
  if (!holds(options)) throw invalid('', holds.errors, [...Object.keys(pluginSettings), ...endpointNames, 'endpoints'])
  const flat = Object.fromEntries(Object.entries(options).filter(([name]) => endpointNames.includes(name)))
  const { endpoints } = options as { endpoints?: readonly Record<string, unknown>[] }
  if (endpoints !== undefined && Object.keys(flat).length > 0) {
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `Option "${Object.keys(flat)[0] ?? ''}" belongs into an entry of "endpoints" when there is such a list`
    )
  }
  const checked = (endpoints ?? [flat]).map((endpoint, index) =>
    checkEndpoint(endpoint, endpoints === undefined ? '' : `endpoints[${index}].`)
  )
  const twice = checked.find(({ path }, index) => checked.findIndex((other) => other.path === path) !== index)
  if (twice !== undefined) {
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `Two endpoints have the path ${twice.path}; each needs its own`
    )
  }
  checkBudget(options['bodyBudget'], checked)
  return checked
}

const endpointNames: readonly string[] = Object.keys(endpointSettings)

function checkEndpoint(given: Record<string, unknown>, prefix: string): Endpoint {
  const endpoint = withoutUndefined(given, endpointSettings)
  const holds = validators().endpoint
  if (!holds(endpoint)) throw invalid(prefix, holds.errors, endpointNames)
  const defaults = Object.entries(endpointSettings).flatMap(([name, setting]) =>
    'default' in setting ? [[name, setting.default]] : []
  )
  const filled = { ...Object.fromEntries(defaults), ...endpoint } as unknown as Endpoint
  if (filled.secrets === undefined && filled.basicAuth === undefined && filled.bearer === undefined) {
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_NO_CREDENTIALS',
      `The endpoint ${filled.path} has no credentials and would accept anything. Give it "${prefix}secrets" (the signing secret from ` +
        `Digital River's dashboard), "${prefix}basicAuth" or "${prefix}bearer"`
    )
  }
  if (filled.basicAuth !== undefined && (filled.bearer !== undefined || filled.register?.oauth !== undefined)) {
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `The endpoint ${filled.path} has "${prefix}basicAuth" and "${prefix}${filled.bearer === undefined ? 'register.oauth' : 'bearer'}": a request has one ` +
        'Authorization header, so both can never hold, and everything would be refused. Leave one out'
    )
  }
  checkUserNames(filled, prefix)
  checkExposure(filled, prefix)
  checkOneSecret(filled, prefix)
  checkBackfillReach(filled, prefix)
  return withMode(filled, prefix)
}

/**
 * RFC 7617 ends the user name at the first colon: of one that holds a colon, the rest would be taken for the password.
 */
function checkUserNames({ basicAuth }: Endpoint, prefix: string): void {
  if (basicAuth === undefined || [basicAuth].flat().every(({ username }) => !username.includes(':'))) return
  throw new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    `Option "${prefix}basicAuth": a user name must not hold a colon, as basic authentication ends it at the first one`
  )
}

/**
 * Refuses credentials over plain http, which anybody on the network path can read. Addresses of this machine are
 * exempt.
 */
function checkExposure({ basicAuth, bearer, register }: Endpoint, prefix: string): void {
  if (register === undefined) return
  const { address, oauth } = register
  const credentials = basicAuth !== undefined ? 'basicAuth' : bearer !== undefined ? 'bearer' : undefined
  const refused = (name: string, what: string): RiverhookError =>
    new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `Option "${prefix}register.${name}" must be an https URL: http would expose ${what}`
    )
  if (credentials !== undefined && isExposed(address))
    throw refused('address', `the credentials of "${prefix}${credentials}"`)
  if (oauth !== undefined && isExposed(oauth.tokenEndPoint))
    throw refused('oauth.tokenEndPoint', 'the client secret and the token')
}

/**
 * Refuses a string that looks like a list. Only environment variables hold comma-separated lists; in code such a string
 * would match nothing.
 */
function checkOneSecret({ secrets, bearer }: Endpoint, prefix: string): void {
  for (const [name, value] of Object.entries({ secrets, bearer })) {
    if (typeof value !== 'string' || !/[,\r\n]/.test(value.trim())) continue
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `Option "${prefix}${name}" is a string with a comma or a line end: write several as a list, ['...', '...'], and one that contains a comma as a list of one`
    )
  }
}

/** Uses one mode for the endpoint and its registration. It may be given to either. */
function withMode(endpoint: Endpoint, prefix: string): Endpoint {
  const { path, register, mode = register?.mode } = endpoint
  if (register?.mode !== undefined && register.mode !== mode) {
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `Option "${prefix}mode" is ${String(mode)} and "${prefix}register.mode" is ${register.mode}: the endpoint ${path} is for one of the two`
    )
  }
  return {
    ...endpoint,
    mode,
    ...(register === undefined || mode === undefined ? {} : { register: { ...register, mode } })
  }
}

/** The budget must hold the largest permitted body. Otherwise such a body would always be refused. */
function checkBudget(given: unknown, endpoints: readonly Endpoint[]): void {
  const budget = (given as number | undefined) ?? pluginSettings.bodyBudget.default
  const largest = Math.max(...endpoints.map(({ bodyLimit }) => bodyLimit))
  if (budget >= largest) return
  throw new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    `Option "bodyBudget" must be at least the largest bodyLimit, ${largest} bytes; it is ${budget}`
  )
}

/** A longer reach would lose events silently: the provider no longer lists them. */
function checkBackfillReach({ backfill }: Endpoint, prefix: string): void {
  if (backfill === undefined) return
  const { every = managedSettings.backfill.every, overlap = managedSettings.backfill.overlap } = backfill
  if ((toMs(every) ?? 0) + (toMs(overlap) ?? 0) <= horizonMs) return
  throw new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    `Option "${prefix}backfill.every" (${every}) and "${prefix}backfill.overlap" (${overlap}) must be at most 30d together: ` +
      'Digital River lists an event for 30 days, so a longer pause would miss events'
  )
}

const horizonMs = 30 * 86_400_000

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, ObjectSchema>>
}

/**
 * A copy without the options that are undefined. Only into objects whose properties have schemas: an inbox or a
 * source is left alone, and an undefined entry of a list is a mistake that the check reports.
 */
function withoutUndefined(
  given: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, Pick<Setting, 'schema'>>>
): Record<string, unknown> {
  const schemas = Object.fromEntries(
    Object.entries(settings).map(([name, { schema }]) => [name, schema as ObjectSchema])
  )
  return stripped(given, schemas)
}

function stripped(
  given: Readonly<Record<string, unknown>>,
  schemas: Readonly<Record<string, ObjectSchema>>
): Record<string, unknown> {
  const fields = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    fields.map(([name, value]) => {
      const properties = Object.hasOwn(schemas, name) ? schemas[name]?.properties : undefined
      return [name, properties !== undefined && isPlainObject(value) ? stripped(value, properties) : value]
    })
  )
}

function schemaOf(settings: Readonly<Record<string, Pick<Setting, 'schema'>>>): Record<string, unknown> {
  const properties = Object.fromEntries(Object.entries(settings).map(([name, { schema }]) => [name, schema]))
  return { type: 'object', properties, additionalProperties: false }
}

function invalid(
  prefix: string,
  errors: readonly ErrorObject[] | null | undefined,
  names: readonly string[]
): RiverhookError {
  // With anyOf, ajv reports every branch and then the anyOf itself; the last one names the option as a whole.
  const error = errors?.at(-1)
  const path = (error?.instancePath ?? '')
    .slice(1)
    .replaceAll(/\/(\d+)/g, '[$1]')
    .replaceAll('/', '.')
  if (error?.keyword === 'additionalProperties') {
    const unknown = (error.params as { additionalProperty: string }).additionalProperty
    const known = path === '' ? names : Object.keys((error.parentSchema as { properties: object }).properties)
    const name = `${prefix}${path === '' ? '' : `${path}.`}${unknown}`
    return new RiverhookError(
      'RIVERHOOK_OPTIONS_INVALID',
      `Option "${name}" is unknown; did you mean "${closest(unknown, [...known])}"?`
    )
  }
  const top = path.split(/[.[]/)[0] ?? ''
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `Option "${prefix}${path}" ${expectation(error, top)}`)
}

function expectation(error: ErrorObject | undefined, name: string): string {
  const settings: Readonly<Record<string, Setting>> = { ...pluginSettings, ...endpointSettings }
  const unit = settings[name]?.unit
  const inUnit = unit === undefined ? '' : ` (${unit})`
  switch (name) {
    case 'secrets':
      return 'must be a non-empty string, a list of them, or a function that gives a list'
    case 'basicAuth':
      return 'must be { username, password }, both non-empty strings, or a list of those'
    case 'bearer':
      return 'must be a non-empty string, a list of them, or a function that judges a token'
    case 'inbox':
      return 'must be an address like "sqlite:PATH", "postgres://..." or "memory:", or an Inbox'
    case 'path':
      return 'must begin with a slash, such as /webhooks/digital-river'
    default:
      if (error?.keyword === 'span') return spanProblem(error.data, error.schema as SpanBounds) ?? 'is wrong'
      if (error?.keyword === 'pattern' && error.instancePath.endsWith('/address')) return 'must be an http or https URL'
      return error?.keyword === 'typeof' ? 'must be a function' : `${error?.message ?? 'is wrong'}${inUnit}`
  }
}
