import { Option, type Command } from 'commander'

import { RiverhookError, type EndpointOptions, type RiverhookOptions, type Source } from '../index.ts'
import { endpointSettings, firstSecret } from '../programs.ts'
import { defaultPathOf, providerName } from '../options/default-names.ts'
import { defaultSource } from '../options/default-source.ts'
import { listEndpoints, type GivenEndpoint } from '../options/list-endpoints.ts'
import { isSourceNamed, loadSource, unknownSource } from '../options/source-by-name.ts'
import { configured } from './config.ts'
import { readDevFile } from './dev/dev-file.ts'
import { printError } from './output.ts'
import { checkSigns, givenSecret, type SecretFlags } from './signed-post.ts'

/** The flags that say for which endpoint a command is. */
export interface EndpointFlags extends SecretFlags {
  readonly url?: string | undefined
  readonly endpoint?: string | undefined
  readonly source?: string | undefined
}

/** Adds `--endpoint --source --secret-file --secret`, for every command that signs. */
export function addTargetFlags(command: Command): Command {
  return command
    .option('--endpoint <path>', 'the configured endpoint whose source and secret to use; default: that of the URL')
    .addOption(sourceOption())
    .option('--secret-file <file>', "a file with the signing secret; default: the endpoint's first")
    .option(
      '--secret <secret>',
      'the signing secret itself; other users of this machine can see it in the process list'
    )
}

/** `--source`, for every command that is for one provider. */
export function sourceOption(): Option {
  return new Option('--source <name>', "the provider, such as stripe; default: the endpoint's")
}

/** Where a command sends, and in whose name. */
export interface Target {
  readonly url: string
  readonly source: Source
  /** The configured endpoint, if one was found. */
  readonly given: GivenEndpoint['given'] | undefined
  /** The secret of the flags, or the first of the endpoint; undefined if there is none. */
  secret(): Promise<string | undefined>
}

/**
 * Finds the endpoint: the one with the path `--endpoint` or the path of `--url`, or else the first of the source. Its
 * source and its secret are the ones to sign with. If there are several and no flag names one, prints which it is.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE
 */
export async function findTarget(flags: EndpointFlags): Promise<Target> {
  const { options, host, port } = configured()
  const all = listEndpoints(options)
  const dev = flags.url === undefined ? readDevFile() : undefined
  const source = flags.source === undefined ? undefined : await findSource(flags.source, all)
  const found = findEndpoint(flags, all, source)
  const signedBy = source ?? found?.source ?? options.source ?? defaultSource()
  const path = found?.given.path ?? defaultPathOf(signedBy)
  if (all.length > 1 && flags.endpoint === undefined && flags.url === undefined && source === undefined)
    printError(`Using the endpoint ${path}, the first of ${all.length}; --endpoint or --source names another`)
  const running = dev?.endpoints.find((each) => each.path === path && each.source === signedBy.name)
  return {
    url: flags.url ?? running?.url ?? `http://${localHost(host)}:${port}${path}`,
    source: signedBy,
    given: found?.given,
    async secret() {
      const secret = givenSecret(flags)
      if (secret !== undefined) return secret
      if (running?.secret !== undefined) return running.secret
      if (found === undefined && all.length > 1)
        throw usage(
          `No endpoint of the configuration has the path of ${flags.url ?? path}: they have ${pathsOf(all)}. Name one with --endpoint, or pass --secret-file`
        )
      return firstSecret(found?.given.secrets)
    }
  }
}

/**
 * Finds a source by its name: one of the configured endpoints, or one of `riverhook/sources`.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE with the names that can be given
 */
export async function findSource(
  name: string,
  endpoints: readonly Pick<GivenEndpoint, 'source'>[] = listEndpoints(configured().options)
): Promise<Source> {
  const own = endpoints.map(({ source }) => source)
  const loaded = own.find((source) => isSourceNamed(source, name)) ?? (await loadSource(name))
  if (loaded === undefined)
    throw usage(
      `--source ${name} ${unknownSource(
        name,
        own.map((source) => source.name)
      )}`
    )
  // An endpoint's own has its options.
  return own.find((source) => source.name === loaded.name) ?? loaded
}

/** The flags that say which endpoint's registration or events a command is for. */
export interface EndpointChoice {
  readonly endpoint?: string | undefined
  readonly source?: string | undefined
}

/** Adds `--endpoint --source` to a command that calls a provider's API. */
export function addChoiceFlags(command: Command): Command {
  return command
    .option('--endpoint <path>', 'the endpoint that it is for; default: the first with an API key, or the first')
    .addOption(sourceOption())
}

/**
 * Finds the endpoint at `--endpoint`, otherwise the first of the source with an API key, otherwise the first of the
 * source. An endpoint that is not configured has the defaults. The key of one provider is never given to another.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE
 */
export async function chooseEndpoint({ endpoint, source: name }: EndpointChoice): Promise<GivenEndpoint> {
  const { options, configFile } = configured()
  const all = listEndpoints(options)
  const source = name === undefined ? undefined : await findSource(name, all)
  const candidates = source === undefined ? all : all.filter((each) => each.source.name === source.name)
  const found =
    endpoint === undefined
      ? (candidates.find(({ given: { backfill, register } }) => backfill ?? register) ?? candidates[0])
      : all.find(({ path }) => path === endpoint)
  if (found !== undefined && source !== undefined && found.source.name !== source.name)
    throw usage(`--endpoint ${found.path} has the source ${found.source.name}, not ${source.name}`)
  if (found !== undefined) return found
  const other = source ?? options.source ?? defaultSource()
  // Variables that name no source are for whichever is meant.
  const isForAny = configFile === undefined && options.source === undefined
  return { path: endpoint ?? defaultPathOf(other), source: other, given: isForAny ? { ...all[0]?.given } : {} }
}

/**
 * The parts that a command for one endpoint opens: that endpoint, and the file's others without credentials, so that
 * the handlers of their sources are known.
 * @throws as `chooseEndpoint`
 */
export async function besideEndpoint(
  flags: EndpointChoice & {
    readonly inbox: string
    readonly handlers?: RiverhookOptions['handlers']
    readonly realm?: string
  }
): Promise<{ readonly options: RiverhookOptions; readonly endpoint: GivenEndpoint }> {
  const { options, configFile } = configured()
  const { source: defaults = defaultSource(), forward, forwardSecret, search } = options
  const { path, source, given } = await chooseEndpoint(flags)
  const own = Object.entries(given).filter(([name]) => Object.hasOwn(endpointSettings, name))
  const endpoint = { ...(Object.fromEntries(own) as EndpointOptions), path, source, realm: flags.realm ?? given.realm }
  const others = configFile === undefined ? [] : listEndpoints(options).filter((each) => each.path !== path)
  const endpoints = [
    endpoint,
    ...others.map((each) => ({
      path: each.path,
      source: each.source,
      realm: each.given.realm,
      mode: each.given.mode
    }))
  ]
  const { inbox, handlers } = flags
  return {
    options: { source: defaults, inbox, handlers, forward, forwardSecret, search, endpoints },
    endpoint: { path, source, given: endpoint }
  }
}

function findEndpoint(
  { url, endpoint }: EndpointFlags,
  all: readonly GivenEndpoint[],
  source: Source | undefined
): GivenEndpoint | undefined {
  const [only, ...others] = all
  if (endpoint !== undefined) {
    const named = all.find(({ path }) => path === endpoint)
    if (named !== undefined) return named
    throw usage(`--endpoint ${endpoint}: no endpoint of the configuration has this path; they have ${pathsOf(all)}`)
  }
  // With variables alone there is one endpoint, wherever a proxy shows it.
  if (others.length === 0) return only
  const candidates = source === undefined ? all : all.filter((each) => each.source.name === source.name)
  if (url === undefined) return candidates[0]
  const { pathname } = urlOf(url)
  return (
    candidates.find(({ path }) => pathname === path) ??
    // A prefix of the service stands before it.
    candidates.find(({ path }) => path !== '/' && pathname.endsWith(path))
  )
}

function urlOf(url: string): URL {
  try {
    return new URL(url)
  } catch (cause) {
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', `--url ${url} is not a URL`, { cause })
  }
}

/**
 * Checks that events of the source can be made and signed here.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE
 */
export function checkSends(source: Source): void {
  checkSigns(source)
  checkSamples(source)
}

/** @throws {RiverhookError} RIVERHOOK_CLI_USAGE if no event of the source can be made */
export function checkSamples(source: Source): void {
  // The events of the default source are in `riverhook/testing`.
  const { name } = source
  if (source.sample !== undefined || name === defaultSource().name) return
  throw usage(
    `The source ${name} makes no sample events. Write the body to a file, and run: riverhook send FILE --source ${name}`
  )
}

/** The provider of a source, for a person. */
export function providerOf({ name }: Pick<Source, 'name'>): string {
  return name === defaultSource().name ? providerName : name
}

/** The address at which this machine reaches a server that listens on `host`. */
export function localHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

function pathsOf(all: readonly GivenEndpoint[]): string {
  return all.map(({ path }) => path).join(', ')
}

function usage(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_CLI_USAGE', message)
}
