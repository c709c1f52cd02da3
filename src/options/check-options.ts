import { checkAddress } from '../inbox/address.ts'
import { checkSecrets } from '../model/check-secrets.ts'
import { fieldProblems, isPlainObject } from '../model/option-rules.ts'
import { msOf } from '../model/span.ts'
import { prepareVerifier } from '../source/check-answer.ts'
import type { Source } from '../source/source.ts'
import { defaultSource } from './default-source.ts'
import type { Endpoint } from './endpoint-options.ts'
import {
  describeProblems,
  hourMs,
  invalid,
  isOfServer,
  optionsError,
  problemOf,
  spanAsOption,
  type OptionsProblem
} from './problems.ts'
import { endpointRules, endpointSynonyms, readEndpoint, type SourcedEndpoint } from './read-endpoint.ts'
import { chooseRealm, realmProblems } from './realms.ts'
import { collectRules, collectSynonyms } from './setting.ts'
import { endpointSettings, pluginSettings, retrySettings } from './settings.ts'

type Values = Readonly<Record<string, unknown>>

const pluginRules = {
  ...collectRules(pluginSettings),
  endpoints: {
    expected: 'a list of at least one endpoint, each an object',
    accepts: (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(isPlainObject)
  }
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
      yield invalid(
        `Option "${name}" must be at least "retention", ${spanAsOption(msOf(retention as number | string))}`
      )
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
    `Option "retention" must be at least ${spanAsOption(least)}: ${name} retries an event for ${retryMs / hourMs} hours, and one that was purged by then would be handled twice`
  )
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
