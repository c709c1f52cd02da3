import { once } from 'node:events'
import { dirname, relative } from 'node:path'
import { setTimeout } from 'node:timers'

import type { Command } from 'commander'
import { pino } from 'pino'

import { createRiverhook, openInbox, RiverhookError, type RiverhookOptions } from '../../index.ts'
import { describeAddress, endpointSettings, packageVersion, pluginSettings } from '../../programs.ts'
import { listEndpoints } from '../../options/list-endpoints.ts'
import type { ServerConfig } from '../../options/environment.ts'
import { newSecret } from '../../testing/index.ts'
import { configured, givenEncryption, useConfigFile } from '../config.ts'
import { importServer } from '../import-server.ts'
import { print, style, styled } from '../output.ts'
import { printTable } from '../print.ts'
import { actionsOf } from './actions.ts'
import {
  lastSecret,
  makeDevFolder,
  endDevFile,
  readDevFile,
  writeDevFile,
  type DevEndpoint,
  type DevFile
} from './dev-file.ts'
import { freshModules } from './fresh-modules.ts'
import { listenToKeys } from './keys.ts'
import { Lines, printFacts, printLine, reasonOf } from './lines.ts'
import { preparePage } from './page.ts'
import { registerAll, type DevWebhook } from './register.ts'
import type { App, ServedEndpoint } from './session.ts'
import { openTunnel, type Tunnel } from './tunnel.ts'
import { FileWatch } from './watch-files.ts'

export interface ProjectFlags {
  readonly port: number
  readonly handlers?: string
  readonly inbox?: string
  readonly json?: true
  readonly tunnel?: true
}

const host = '127.0.0.1'
const inboxDefault = 'sqlite:.riverhook/dev.db'
/** How long attempts may take to end before a reload hands them back. */
const reloadGrace = '30s'

/**
 * Runs the handlers and the configuration of the current folder, and loads them again when a file has changed. The
 * inbox, the port and the page stay open meanwhile: requests wait for the new handlers.
 */
export async function runProject(command: Command, flags: ProjectFlags): Promise<void> {
  const { checkServer, createServer } = await importServer()
  makeDevFolder()
  const isPretty = flags.json !== true && process.stdout.isTTY
  const lines = isPretty ? new Lines() : undefined
  const page = await preparePage(host)
  const address = flags.inbox ?? process.env['RIVERHOOK_INBOX'] ?? inboxDefault
  const inbox = openInbox(address, givenEncryption())
  const front = process.getBuiltinModule('node:http').createServer()
  let current: Promise<App> | undefined
  let endpoints: readonly ServedEndpoint[] = []
  front.on('request', (request, response) => {
    current?.then(
      (app) => {
        app.routing(request, response)
      },
      () => request.destroy()
    )
  })
  const beside = readDevFile()
  const url = await listen(front, flags.port).catch((error: unknown) => {
    throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? (besideError(beside, flags.port) ?? error) : error
  })
  let tunnel: Tunnel | undefined
  // Nothing may keep the process alive after a failed start.
  const giveUp = (error: unknown): never => {
    front.close()
    tunnel?.close()
    throw error
  }
  if (flags.tunnel === true) tunnel = await openTunnel(Number(new URL(url).port)).catch(giveUp)
  let webhooks: readonly DevWebhook[] = []
  /** Those of the last configuration that is valid. */
  let folders: readonly string[] = []

  const read = (): ServerConfig => {
    const config = configured()
    const handlers = flags.handlers ?? config.options.handlers
    endpoints = serveEndpoints(config.options, url, endpoints)
    folders = [handlers].flat().filter((each) => typeof each === 'string')
    return {
      ...config,
      host,
      logLevel: 'info',
      watch: undefined,
      admin: page.admin(),
      options: {
        ...withoutEndpoint(config.options),
        endpoints: endpoints.map((endpoint) => optionsOf(endpoint, () => secretsOf(webhooks, endpoint))),
        handlers,
        inbox,
        grace: reloadGrace,
        onError: (error, failure) => {
          lines?.failed(error, failure)
          return config.options.onError?.(error, failure)
        }
      }
    }
  }
  const make = async (): Promise<App> => {
    const config = read()
    // Its handlers are loaded already: this also finds what only the start would.
    await checkServer({ ...config, logLevel: 'silent' })
    return createServer(config, lines === undefined ? {} : { log: lines.log })
  }

  const first = await make().catch(giveUp)
  // Keeps the inbox open from one server to the next.
  const holder = createRiverhook({ role: 'command', inbox, log: pino({ level: 'silent' }) })
  await Promise.resolve(first.ready()).catch(async (error: unknown) => {
    await first.close()
    giveUp(beside?.inbox === address && isInUse(error) ? besideError(beside) : error)
  })
  await holder.start()
  current = Promise.resolve(first)

  const reload = async (file: string): Promise<void> => {
    const old = await current
    const startedAt = performance.now()
    try {
      freshModules.renew()
      await useConfigFile(command)
      const next = await make()
      const isWaiting = (await inbox.levels()).byHandler.some(({ running }) => running > 0)
      if (isWaiting) say(`${relative('', file)} changed: waiting for the attempts in progress`)
      current = (async () => {
        // Its attempts end first.
        await old?.close()
        await next.ready()
        return next
      })()
      await current
      const took = `${Math.round(performance.now() - startedAt)} ms`
      const has = (await inbox.handlers()).length > 0 ? '' : ': there are no handlers, so nothing runs'
      say(`${isWaiting ? '' : `${relative('', file)} changed: `}reloaded in ${took}${has}`)
      writeFile()
    } catch (error) {
      if ((await current?.catch(() => undefined)) !== old) throw error
      say(`not reloaded, the version before still runs: ${reasonOf(error)}`, 'red')
    }
    watchFiles()
  }
  const say = (text: string, colour: 'green' | 'red' = 'green'): void => {
    if (isPretty) printLine(style(colour, colour === 'green' ? '↻' : '✗'), styled`${text}`)
    else
      void current?.then((app) => {
        app.log[colour === 'green' ? 'info' : 'error'](text)
      })
  }
  const writeFile = (): void => {
    writeDevFile({ inbox: address, endpoints: endpoints.map(entryOf) })
  }
  let reloading = Promise.resolve()
  const watch = new FileWatch((file) => {
    reloading = reloading.then(() => reload(file)).catch(fail)
  })
  const watchFiles = (): void => {
    watch.set(freshModules.files, [...folders, '.'], (name) => /\.[cm]?[jt]s$/.test(name))
  }

  let releaseKeys = (): void => undefined
  let isEnding = false
  const end = async (code: number): Promise<void> => {
    if (isEnding) process.exit(1)
    isEnding = true
    releaseKeys()
    endDevFile()
    watch.close()
    // The provider would send to an address that leads nowhere.
    await Promise.all(webhooks.map((webhook) => webhook.remove().catch(reportLeft(webhook))))
    tunnel?.close()
    // Ignore errors while closing: the process exits anyway.
    await (await current?.catch(() => undefined))?.close().catch(() => undefined)
    await holder.stop().catch(() => undefined)
    front.closeAllConnections()
    process.exit(code)
  }
  const reportLeft =
    ({ address: left }: DevWebhook) =>
    (error: unknown): void => {
      say(`the webhook ${left} could not be deleted, delete it yourself: ${reasonOf(error)}`, 'red')
    }
  function fail(error: unknown): void {
    print(styled`${style('red', 'riverhook:')} ${reasonOf(error)}`)
    void end(1)
  }
  const onFault = (error: unknown): void => {
    // Call this synchronously: later the attempt cannot be identified.
    const drained = current?.then((app) => app.riverhook.drain({ fault: error }))
    setTimeout(() => process.exit(1), 5_000).unref()
    void drained?.finally(() => {
      fail(error)
    })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      void end(0)
    })
  process.on('uncaughtException', onFault)
  process.on('unhandledRejection', onFault)

  if (tunnel !== undefined) {
    void tunnel.lost.then((reason) => {
      say(reason, 'red')
    })
    const results = await registerAll(endpoints, { publicUrl: tunnel.url, inbox })
    webhooks = results.flatMap((result) => ('webhook' in result ? result.webhook : []))
    for (const { address: registered } of webhooks) say(`registered ${registered}; it is deleted at the end`)
    for (const result of results)
      if ('reason' in result) say(`${result.path} is not registered: ${result.reason}`, 'red')
  }
  writeFile()
  watchFiles()
  const pageUrl = await page.url()
  if (!isPretty) {
    first.log.info(
      { endpoints: endpoints.map(entryOf), page: pageUrl, public: tunnel?.url },
      `Server listening at ${url}`
    )
    return
  }
  print(styled`${style('bold', `riverhook dev ${packageVersion()}`)}\n`)
  printFacts([
    ...endpoints.flatMap(({ url: at, secret }) => [
      ['URL', at] as const,
      ...(secret === undefined ? [] : [['secret', secret] as const])
    ]),
    ...(tunnel === undefined ? [] : endpoints.map(({ path }) => ['public', tunnel.url + path] as const)),
    ['inbox', describeAddress(address)],
    ...(pageUrl === undefined ? [] : [['page', pageUrl] as const])
  ])
  print('')
  const records = await inbox.handlers()
  if (records.length === 0) print('There are no handlers: events are stored, and nothing runs.')
  else
    printTable(
      ['handler', 'events', 'source'],
      records.map(({ name, pattern, source }) => [name, pattern, source])
    )
  const actions = actionsOf({ app: async () => (await current) ?? first, endpoints: () => endpoints, pageUrl })
  print('\nWaiting for events. Press t to send one, ? for all keys, Ctrl-C to stop.')
  lines?.begin()
  releaseKeys = listenToKeys(actions, {
    onEnd: () => {
      void end(0)
    },
    onFault: (error) => {
      say(reasonOf(error), 'red')
    }
  })
}

async function listen(front: App['server'], port: number): Promise<string> {
  front.listen(port, host)
  await once(front, 'listening')
  const address = front.address()
  return `http://${host}:${typeof address === 'object' && address !== null ? address.port : port}`
}

function isInUse(error: unknown): boolean {
  return error instanceof RiverhookError && error.code === 'RIVERHOOK_INBOX_IN_USE'
}

/**
 * The error of a second `riverhook dev` in one folder; undefined if the first one is not the cause.
 * @param port the port that is taken, if that is what failed
 */
function besideError(beside: DevFile | undefined, port?: number): RiverhookError | undefined {
  const [endpoint] = beside?.endpoints ?? []
  if (endpoint === undefined || (port !== undefined && new URL(endpoint.url).port !== String(port))) return undefined
  return new RiverhookError(
    'RIVERHOOK_CLI_USAGE',
    `riverhook dev runs in this folder already, as process ${String(beside?.pid)}, at ${endpoint.url}: use it, or end it with Ctrl-C in its terminal`
  )
}

/**
 * The endpoints of the configuration, with a secret for this folder before their own: commands and keys sign with it.
 * @param before the endpoints before a reload, whose secrets stay
 */
function serveEndpoints(
  options: RiverhookOptions,
  url: string,
  before: readonly ServedEndpoint[]
): readonly ServedEndpoint[] {
  return listEndpoints(options).map((endpoint) => {
    const { path, source, given } = endpoint
    const hasOther = [given.basicAuth, given.bearer, given.tokenEndpoint].some((each) => each !== undefined)
    // Where only other credentials are checked, a secret would be one more check.
    const isSigned = source.sign !== undefined && (given.secrets !== undefined || !hasOther)
    const known = before.find((each) => each.path === path && each.source.name === source.name)?.secret
    const secret = isSigned ? (known ?? lastSecret(path, source.name) ?? newSecret(source)) : undefined
    return { ...endpoint, url: url + path, secret }
  })
}

/** The options of an endpoint: nothing is registered or fetched, and this machine may send. */
function optionsOf(
  { path, source, given, secret }: ServedEndpoint,
  registered: () => readonly string[]
): NonNullable<RiverhookOptions['endpoints']>[number] {
  const own = Object.fromEntries(Object.entries(given).filter(([name]) => Object.hasOwn(endpointSettings, name)))
  const { secrets } = given
  const all =
    secret === undefined
      ? secrets
      : secrets === undefined
        ? () => [secret, ...registered()]
        : async () => [secret, ...registered(), ...[typeof secrets === 'function' ? await secrets() : secrets].flat()]
  return { ...own, path, source, secrets: all, allow: undefined, register: undefined, backfill: undefined }
}

/** The secrets that the provider has shown for the webhooks of this run. */
function secretsOf(webhooks: readonly DevWebhook[], { path }: ServedEndpoint): readonly string[] {
  return webhooks.flatMap((webhook) => (webhook.path === path && webhook.secret !== undefined ? webhook.secret : []))
}

function withoutEndpoint(options: RiverhookOptions): RiverhookOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(pluginSettings, name)))
}

function entryOf({ path, source, url, secret }: ServedEndpoint): DevEndpoint {
  return { path, source: source.name, url, ...(secret === undefined ? {} : { secret }) }
}

/**
 * Refuses a folder with nothing to run.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE
 */
export function requireProject({ handlers }: Pick<ProjectFlags, 'handlers'>): void {
  const { options, configFile } = configured()
  if (handlers !== undefined || configFile !== undefined || options.handlers !== undefined) return
  throw new RiverhookError(
    'RIVERHOOK_CLI_USAGE',
    `There is nothing to run in ${dirname(`${process.cwd()}/.`)}: pass --handlers FOLDER, write riverhook.config.ts, or make a project with npm create riverhook. To see Riverhook work with example handlers: riverhook dev --show`
  )
}
