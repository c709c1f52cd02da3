import { readRange } from '../model/address-list.ts'
import { checkAddress } from '../inbox/address.ts'
import { checkSecrets } from '../model/check-secrets.ts'
import { RiverhookError, type RiverhookErrorCode } from '../model/errors.ts'
import { fieldProblems, isExposed, isPlainObject, joinProblems, type OptionProblem } from '../model/option-rules.ts'
import { msOf } from '../model/span.ts'
import { prepareVerifier } from '../source/check-answer.ts'
import type { Source } from '../source/source.ts'
import { defaultPathOf } from './default-names.ts'
import { defaultSource } from './default-source.ts'
import type { Endpoint, EndpointOptions, TokenEndpointOptions } from './endpoint-options.ts'
import { chooseRealm, realmProblems } from './realms.ts'
import type { SourceOption } from './riverhook-options.ts'
import { collectRules, collectSynonyms } from './setting.ts'
import { backfillSettings, endpointSettings, pluginSettings, registerSettings, retrySettings } from './settings.ts'
import { tokenEndpointSettings } from './token-settings.ts'

/** A problem with the options, as a sentence that names the option. */
export interface OptionsProblem {
  readonly code: RiverhookErrorCode
  readonly text: string
}

/** An endpoint with its source: its own, or the common one. */
export type SourcedEndpoint = Endpoint & { readonly source: Source }

type Values = Readonly<Record<string, unknown>>

const pluginSettingRules = collectRules(pluginSettings)
/** A source is given for all endpoints, or for one. */
const endpointRules = { ...collectRules(endpointSettings), source: pluginSettingRules.source }
const pluginRules = {
  ...pluginSettingRules,
  endpoints: {
    expected: 'a list of at least one endpoint, each an object',
    accepts: (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(isPlainObject)
  }
}
/** Names that other libraries use for the options of an endpoint. */
const endpointSynonyms: Readonly<Record<string, string>> = {
  ...collectSynonyms({ address: registerSettings.address }, 'register.'),
  ...collectSynonyms(endpointSettings)
}
/** Names that other libraries use for the plugin's options. */
export const synonyms: Readonly<Record<string, string>> = {
  ...endpointSynonyms,
  ...collectSynonyms(pluginSettings),
  ...collectSynonyms({ attempts: retrySettings.attempts }, 'retry.')
}

/**
 * Checks the plugin's options and returns its endpoints with every setting filled in. A command needs no credentials.
 * An undefined option, at any depth, counts as not given, so its default applies.
 * @param more finds further problems of an endpoint of a server, which are reported together with the others
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, RIVERHOOK_OPTIONS_NO_CREDENTIALS, RIVERHOOK_SOURCE_SECRET,
 * RIVERHOOK_INBOX_ADDRESS; the message names each wrong option
 */
export function checkOptions(
  given: Values,
  role: 'server' | 'command' = 'server',
  more: (endpoint: SourcedEndpoint) => readonly OptionsProblem[] = () => []
): readonly SourcedEndpoint[] {
  const { problems: all, endpoints } = readOptions(given)
  const problems =
    role === 'server' ? [...all, ...endpoints.flatMap(more)] : all.filter(({ code }) => !isOfServer(code))
  if (problems.length > 0) throw optionsError(problems)
  return endpoints
}

/** Whether a problem is only one of a server: a command receives no request, so it needs no credentials. */
export function isOfServer(code: RiverhookErrorCode): boolean {
  return code === 'RIVERHOOK_OPTIONS_NO_CREDENTIALS' || code === 'RIVERHOOK_SOURCE_SECRET'
}

/** The problem that a check throws, if any. */
export function problemOf(check: () => unknown, ending = ''): readonly OptionsProblem[] {
  try {
    check()
    return []
  } catch (error) {
    if (error instanceof RiverhookError) return [{ code: error.code, text: `${error.message}${ending}` }]
    throw error
  }
}

/** One error for all problems, with the code of the first. */
export function optionsError(problems: readonly OptionsProblem[], cause?: unknown): RiverhookError {
  const code = problems[0]?.code ?? 'RIVERHOOK_OPTIONS_INVALID'
  return new RiverhookError(code, joinProblems(problems.map(({ text }) => text)), cause === undefined ? {} : { cause })
}

/** Reads the plugin's options: the endpoints as far as they are valid, and all problems. */
export function readOptions(given: Values): {
  readonly endpoints: readonly SourcedEndpoint[]
  readonly problems: readonly OptionsProblem[]
} {
  const options = withoutUndefined(given)
  const { endpoints: list, source: givenSource } = options
  const isList = list !== undefined
  const source = pluginRules.source.accepts(givenSource) ? (givenSource as Source) : defaultSource()
  // The settings of a single endpoint may be given together with those of the plugin.
  const wrong = describeProblems(fieldProblems({ fields: { ...endpointRules, ...pluginRules }, synonyms }, options, ''))
  const flat = Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(endpointSettings, name)))
  if (isList)
    wrong.push(
      ...Object.keys(flat).map((name) =>
        invalid(`Option "${name}" belongs in an entry of "endpoints" if there is such a list`)
      )
    )
  const entries = isList ? (pluginRules.endpoints.accepts(list) ? (list as readonly Values[]) : []) : [flat]
  const checked = entries.map((endpoint, index) =>
    readEndpoint(withoutUndefined(endpoint), isList ? `endpoints[${index}].` : '', source, isList)
  )
  const endpoints = checked.map(({ endpoint }) => endpoint)
  return {
    endpoints,
    problems: [
      ...wrong,
      ...quietHoursProblems(options['alarms']),
      ...checked.flatMap(({ problems }) => problems),
      ...pathProblems(endpoints),
      ...realmProblems(
        endpoints.map((each) => ({
          path: each.path,
          realm: chooseRealm(each, each.source.name),
          source: each.source.name
        }))
      ).map(invalid),
      ...sourceProblems(endpoints),
      ...budgetProblems(options['bodyBudget'], endpoints),
      ...retentionProblems(options['retention'], endpoints),
      ...longRetentionProblems(options),
      ...forwardProblems(options),
      // Last, because the first problem gives the error its code.
      ...endpoints.flatMap(secretProblems),
      ...addressProblems(options['inbox'])
    ]
  }
}

/** Two sources of one name: an event is read again by the name of its source. */
function sourceProblems(endpoints: readonly SourcedEndpoint[]): readonly OptionsProblem[] {
  const sources = [...new Set(endpoints.map(({ source }) => source))]
  const names = sources.map(({ name }) => name)
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map((name) =>
    invalid(
      `Option "source": two endpoints have different sources that are both named ${name}. Events are stored with the name: create the source once and pass the same value to both endpoints, or give one of them another name`
    )
  )
}

/** The secrets that cannot be used. A function for them is called at the start. */
function secretProblems({ path, secrets, source }: SourcedEndpoint): readonly OptionsProblem[] {
  if (secrets === undefined || typeof secrets === 'function') return []
  const list = [secrets].flat()
  return problemOf(() => {
    checkSecrets(list)
    prepareVerifier(source, list)
  }, ` (endpoint ${path})`)
}

function addressProblems(inbox: unknown): readonly OptionsProblem[] {
  if (typeof inbox !== 'string' || !pluginRules.inbox.accepts(inbox)) return []
  return problemOf(() => {
    checkAddress(inbox)
  })
}

function quietHoursProblems(alarms: unknown): readonly OptionsProblem[] {
  if (!isPlainObject(alarms) || alarms['quietHours'] === undefined || alarms['silence'] !== undefined) return []
  return [
    invalid(
      'Option "alarms.quietHours" needs "alarms.silence", such as \'2h\': without it, the usual pauses are learnt, and the quiet hours are among them'
    )
  ]
}

/** Each problem as a sentence that names the option. */
export const describeProblems = (problems: readonly OptionProblem[]): OptionsProblem[] =>
  problems.map(({ name, problem }) => invalid(`Option "${name}" ${problem}`))

const invalid = (text: string): OptionsProblem => ({ code: 'RIVERHOOK_OPTIONS_INVALID', text })

/** @param isListed in a list of endpoints, whose options are not checked yet */
function readEndpoint(
  given: Values,
  prefix: string,
  defaults: Source,
  isListed: boolean
): { readonly endpoint: SourcedEndpoint; readonly problems: readonly OptionsProblem[] } {
  const wrong = fieldProblems({ fields: endpointRules, synonyms: endpointSynonyms }, given, prefix)
  const isRight = (name: string): boolean => !wrong.some((each) => each.name.startsWith(`${prefix}${name}`))
  // Report each problem once: the checks below see only the valid options.
  const {
    source = defaults,
    tokenEndpoint,
    allow,
    ...right
  } = Object.fromEntries(Object.entries(given).filter(([name]) => isRight(name))) as {
    readonly [Name in keyof (EndpointOptions & SourceOption)]: Exclude<
      (EndpointOptions & SourceOption)[Name],
      undefined
    >
  }
  const { answerMs, bodyBytes, toleranceMs } = source.limits ?? {}
  const { timestamps, bodyLimit, validate, ackTimeout, tolerance } = endpointSettings
  const endpoint = withMode({
    path: defaultPathOf(source),
    timestamps: timestamps.default,
    bodyLimit: bodyBytes ?? bodyLimit.default,
    validate: validate.default,
    ...right,
    tolerance: msOf(right.tolerance ?? toleranceMs ?? tolerance.default),
    ackTimeout:
      right.ackTimeout === undefined
        ? Math.min(msOf(ackTimeout.default), Math.floor(((answerMs ?? Infinity) * 5) / 6))
        : msOf(right.ackTimeout),
    ...(allow === undefined ? {} : { allow: rangesOf([allow].flat(), source) }),
    ...(tokenEndpoint === undefined ? {} : { tokenEndpoint: fillTokenEndpoint(tokenEndpoint) })
  })
  const isGiven = (name: string): boolean => given[name] !== undefined
  return {
    endpoint: { ...endpoint, source },
    problems: [
      ...(isListed ? describeProblems(wrong) : []),
      ...(['secrets', 'basicAuth', 'bearer', 'tokenEndpoint'].some(isGiven) ? [] : [noCredentials(endpoint, prefix)]),
      ...credentialProblems(endpoint, prefix),
      ...allowProblems([allow ?? []].flat(), prefix, source),
      ...tokenProblems(endpoint, prefix),
      ...exposureProblems(endpoint, prefix),
      ...listProblems(endpoint, prefix),
      ...modeProblems(right, endpoint, prefix),
      ...answerProblems(endpoint, prefix, source),
      ...reachProblems(endpoint, prefix)
    ]
  }
}

function noCredentials({ path }: Endpoint, prefix: string): OptionsProblem {
  return {
    code: 'RIVERHOOK_OPTIONS_NO_CREDENTIALS',
    text:
      `The endpoint ${path} has no credentials and would accept anything. Give it "${prefix}secrets" (the signing secret from ` +
      `the provider's dashboard), "${prefix}basicAuth", "${prefix}bearer" or "${prefix}tokenEndpoint"`
  }
}

/** The ranges of the option `allow`, with those of the provider in the place of the source's name. */
function rangesOf(allow: readonly string[], { name, addresses = [] }: Source): readonly string[] {
  return allow.flatMap((each) => (each === name ? addresses : each))
}

function* allowProblems(
  allow: readonly string[],
  prefix: string,
  { name, addresses }: Source
): Iterable<OptionsProblem> {
  for (const each of allow.filter((text) => readRange(text) === undefined)) {
    if (each !== name)
      yield invalid(
        `Option "${prefix}allow": ${each} is neither a range of addresses nor the endpoint's source, ${name}`
      )
    else if (addresses === undefined)
      yield invalid(`Option "${prefix}allow": the source ${name} has no list of addresses; give ranges`)
  }
}

function fillTokenEndpoint(given: TokenEndpointOptions): NonNullable<Endpoint['tokenEndpoint']> {
  const { path, lifetime } = tokenEndpointSettings
  return { ...given, path: given.path ?? path.default, lifetime: msOf(given.lifetime ?? lifetime.default) }
}

function* credentialProblems(
  { path, basicAuth, bearer, tokenEndpoint, register }: Endpoint,
  prefix: string
): Iterable<OptionsProblem> {
  const [other] = Object.entries({ bearer, tokenEndpoint, 'register.oauth': register?.oauth }).flatMap(
    ([name, value]) => (value === undefined ? [] : [name])
  )
  if (basicAuth === undefined) return
  if (other !== undefined)
    yield invalid(
      `The endpoint ${path} has "${prefix}basicAuth" and "${prefix}${other}": a request has one ` +
        'Authorization header, so both can never hold, and everything would be refused. Leave one out'
    )
  // RFC 7617 ends the user name at the first colon, so the rest would count as the password.
  if ([basicAuth].flat().some(({ username }) => username.includes(':')))
    yield invalid(
      `Option "${prefix}basicAuth": a user name must not hold a colon, as basic authentication ends it at the first one`
    )
}

function* tokenProblems({ path, bearer, tokenEndpoint, register }: Endpoint, prefix: string): Iterable<OptionsProblem> {
  if (tokenEndpoint === undefined) return
  if (bearer !== undefined)
    yield invalid(
      `The endpoint ${path} has "${prefix}bearer" and "${prefix}tokenEndpoint": a request has one Authorization header, so both can never hold, and everything would be refused. Leave one out`
    )
  const { oauth } = register ?? {}
  const isKnown = tokenEndpoint.clients.some(
    ({ clientID, clientSecret }) => clientID === oauth?.clientID && clientSecret === oauth.clientSecret
  )
  if (oauth !== undefined && !isKnown)
    yield invalid(
      `Option "${prefix}register.oauth" has a client that is not in "${prefix}tokenEndpoint.clients": the provider would get no token. Leave it out to register the first client`
    )
}

/**
 * Refuses credentials over plain http, which anybody on the network path can read. Addresses of this machine are
 * exempt.
 */
function* exposureProblems(endpoint: Endpoint, prefix: string): Iterable<OptionsProblem> {
  const { register } = endpoint
  if (register === undefined) return
  const { address, oauth } = register
  const credentials = (['basicAuth', 'bearer', 'tokenEndpoint'] as const).find((name) => endpoint[name] !== undefined)
  const refused = (name: string, what: string): OptionsProblem =>
    invalid(`Option "${prefix}register.${name}" must be an https URL: http would expose ${what}`)
  if (credentials !== undefined && isExposed(address))
    yield refused('address', `the credentials of "${prefix}${credentials}"`)
  if (oauth !== undefined && isExposed(oauth.tokenEndPoint))
    yield refused('oauth.tokenEndPoint', 'the client secret and the token')
}

/**
 * Refuses a string that looks like a list. Only environment variables hold comma-separated lists; in code such a string
 * would match nothing.
 */
function* listProblems({ secrets, bearer }: Endpoint, prefix: string): Iterable<OptionsProblem> {
  for (const [name, value] of Object.entries({ secrets, bearer })) {
    if (typeof value !== 'string' || !/[,\r\n]/.test(value.trim())) continue
    yield invalid(
      `Option "${prefix}${name}" is a string with a comma or a line end: write several as a list, ['...', '...'], and one that contains a comma as a list of one`
    )
  }
}

/** Uses one mode for the endpoint and its registration. It may be given to either. */
function withMode(endpoint: Omit<Endpoint, 'mode'> & { readonly mode?: Endpoint['mode'] }): Endpoint {
  const { register, mode = register?.mode } = endpoint
  return {
    ...endpoint,
    mode,
    ...(register === undefined || mode === undefined ? {} : { register: { ...register, mode } })
  }
}

function* modeProblems(
  { mode, register }: EndpointOptions,
  { path }: Endpoint,
  prefix: string
): Iterable<OptionsProblem> {
  if (register?.mode === undefined || mode === undefined || register.mode === mode) return
  yield invalid(
    `Option "${prefix}mode" is ${mode} and "${prefix}register.mode" is ${register.mode}: the endpoint ${path} is for one of the two`
  )
}

function* answerProblems({ ackTimeout }: Endpoint, prefix: string, { name, limits }: Source): Iterable<OptionsProblem> {
  const { answerMs = Infinity } = limits ?? {}
  if (ackTimeout <= answerMs) return
  yield invalid(`Option "${prefix}ackTimeout" must be at most ${spanText(answerMs)}: ${name} gives up by then`)
}

/** A longer reach would lose events silently: the provider no longer lists them. */
function* reachProblems({ backfill }: Endpoint, prefix: string): Iterable<OptionsProblem> {
  if (backfill === undefined) return
  const { every = backfillSettings.every.default, overlap = backfillSettings.overlap.default } = backfill
  if (msOf(every) + msOf(overlap) <= horizonMs) return
  yield invalid(
    `Option "${prefix}backfill.every" (${every}) and "${prefix}backfill.overlap" (${overlap}) must be at most 30d together: ` +
      'the provider lists an event for 30 days, so a longer pause would miss events'
  )
}

const hourMs = 3_600_000
const horizonMs = 30 * 24 * hourMs

function* pathProblems(endpoints: readonly Endpoint[]): Iterable<OptionsProblem> {
  const paths = endpoints.map(({ path }) => path)
  for (const path of new Set(paths.filter((each, index) => paths.indexOf(each) !== index)))
    yield invalid(`Two endpoints have the path ${path}; each needs its own`)
  const tokenPaths = endpoints.flatMap(({ tokenEndpoint }) => tokenEndpoint?.path ?? [])
  for (const path of new Set(
    tokenPaths.filter((each, index) => [...paths, ...tokenPaths.slice(0, index)].includes(each))
  ))
    yield invalid(
      `The path ${path} of a "tokenEndpoint" is also that of another endpoint; give each "tokenEndpoint" its own "path"`
    )
}

/** The budget must hold the largest permitted body. Otherwise such a body would always be refused. */
function* budgetProblems(given: unknown, endpoints: readonly Endpoint[]): Iterable<OptionsProblem> {
  const budget = given ?? pluginSettings.bodyBudget.default
  const largest = Math.max(...endpoints.map(({ bodyLimit }) => bodyLimit))
  if (typeof budget !== 'number' || !pluginRules.bodyBudget.accepts(budget) || budget >= largest) return
  yield invalid(`Option "bodyBudget" must be at least the largest bodyLimit, ${largest} bytes; it is ${budget}`)
}

/** Refuses a secret that signs nothing: its user expects signed requests. */
function* forwardProblems({ forward, forwardSecret }: Values): Iterable<OptionsProblem> {
  if (forwardSecret !== undefined && forward === undefined)
    yield invalid('Option "forwardSecret" has no effect without "forward" (RIVERHOOK_FORWARD)')
}

/**
 * Refuses to keep what failed for a shorter time than what succeeded: the purge of a dead letter would prevent a
 * backfill from fetching younger events.
 */
function* longRetentionProblems(options: Values): Iterable<OptionsProblem> {
  const retention = options['retention'] ?? pluginSettings.retention.default
  if (!pluginRules.retention.accepts(retention)) return
  for (const name of ['deadRetention', 'quarantineRetention'] as const) {
    const given = options[name]
    if (given === undefined || !pluginRules[name].accepts(given)) continue
    if (msOf(given as number | string) < msOf(retention as number | string))
      yield invalid(`Option "${name}" must be at least "retention", ${spanText(msOf(retention as number | string))}`)
  }
}

/** An event that is sent again after it was purged would be handled twice. */
function* retentionProblems(given: unknown, endpoints: readonly SourcedEndpoint[]): Iterable<OptionsProblem> {
  const retention = given ?? pluginSettings.retention.default
  if (!pluginRules.retention.accepts(retention)) return
  const [longest] = endpoints
    .map(({ source: { name, limits } }) => ({ name, retryMs: limits?.retryMs ?? 0 }))
    .sort((one, other) => other.retryMs - one.retryMs)
  if (longest === undefined || longest.retryMs === 0) return
  const { name, retryMs } = longest
  const least = retryMs + hourMs
  if (msOf(retention as number | string) >= least) return
  yield invalid(
    `Option "retention" must be at least ${spanText(least)}: ${name} retries an event for ${retryMs / hourMs} hours, and one that was purged by then would be handled twice`
  )
}

/** A span in its largest whole unit up to hours. */
function spanText(ms: number): string {
  if (ms % hourMs === 0) return `${ms / hourMs}h`
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`
}

/**
 * Copies the options without those that are undefined. Copies only the plain objects of option groups: an inbox or a
 * source is passed unchanged, and an undefined item of a list is a mistake that the check reports.
 */
function withoutUndefined(given: Values): Values {
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, groups.has(name) && isPlainObject(value) ? withoutUndefined(value) : value])
  )
}

const groups: ReadonlySet<string> = new Set(['register', 'backfill', 'retry', 'oauth', 'search', 'tokenEndpoint'])
