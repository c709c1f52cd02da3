import { readRange } from '../model/address-list.ts'
import { fieldProblems, isExposed } from '../model/option-rules.ts'
import { msOf } from '../model/span.ts'
import type { Source } from '../source/source.ts'
import { defaultPathOf } from './default-names.ts'
import type { Endpoint, EndpointOptions, TokenEndpointOptions } from './endpoint-options.ts'
import { describeProblems, hourMs, invalid, spanAsOption, type OptionsProblem } from './problems.ts'
import type { SourceOption } from './riverhook-options.ts'
import { collectRules, collectSynonyms } from './setting.ts'
import { backfillSettings, endpointSettings, pluginSettings, registerSettings } from './settings.ts'
import { tokenEndpointSettings } from './token-settings.ts'

type Values = Readonly<Record<string, unknown>>

/** A source is given for all endpoints, or for one. */
export const endpointRules = collectRules({ ...endpointSettings, source: pluginSettings.source })
/** Names that other libraries use for the options of an endpoint. */
export const endpointSynonyms: Readonly<Record<string, string>> = {
  ...collectSynonyms({ address: registerSettings.address }, 'register.'),
  ...collectSynonyms(endpointSettings)
}
/** How long the provider lists an event. */
const horizonMs = 30 * 24 * hourMs

/** An endpoint with its source: its own, or the common one. */
export type SourcedEndpoint = Endpoint & { readonly source: Source }

/**
 * Reads the options of an endpoint, as far as they are valid, and fills in its settings.
 * @param isListed in a list of endpoints, whose options are not checked yet
 */
export function readEndpoint(
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
  yield invalid(`Option "${prefix}ackTimeout" must be at most ${spanAsOption(answerMs)}: ${name} gives up by then`)
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
