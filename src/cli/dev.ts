import { fileURLToPath } from 'node:url'

import { Command, InvalidArgumentError, Option } from 'commander'

import { type EndpointOptions, type Rejection, type RiverhookOptions } from '../index.ts'
import { handlersIn, ownFolder } from '../programs.ts'
import { defaultSource } from '../options/default-source.ts'
import { serverSettings } from '../options/server-settings.ts'
import { createClock, createDigitalRiver, newSecret, type DigitalRiverSimulator } from '../testing/index.ts'
import { actionsOf } from './dev/actions.ts'
import { makeDevFolder, endDevFile, writeDevFile } from './dev/dev-file.ts'
import { listenToKeys } from './dev/keys.ts'
import { Lines, printFacts, reasonOf } from './dev/lines.ts'
import { preparePage } from './dev/page.ts'
import { requireProject, runProject, type ProjectFlags } from './dev/project.ts'
import type { App, ServedEndpoint } from './dev/session.ts'
import { showOf } from './dev-sender.ts'
import { show, tour } from './dev-show.ts'
import { checkSends, findTarget, sourceOption, type Target } from './endpoint.ts'
import { importServer } from './import-server.ts'
import { exampleHandlers, riverhookCommand } from './invocation.ts'
import { print, style, styled } from './output.ts'

interface Flags extends ProjectFlags {
  readonly show?: true
  readonly once?: true
  readonly endpoint?: string
  readonly source?: string
}

const inbox = 'sqlite:.riverhook/dev.db'
const handlers = fileURLToPath(new URL('../examples/handlers', ownFolder))
const host = '127.0.0.1'

export function devCommand(): Command {
  return new Command('dev')
    .description(
      'run the handlers and the configuration of this folder, and load them again when a file changes; nothing is registered with a provider or fetched from one'
    )
    .option('--handlers <folder>', 'the folder of the handlers; default: those of the configuration')
    .option('--inbox <address>', `the inbox; default: RIVERHOOK_INBOX, or ${inbox}, but not that of the config file`)
    .option(
      '--tunnel',
      'start an installed cloudflared or ngrok, register its public address where the provider has an API, and delete that webhook at the end'
    )
    .option('--json', 'print the log as JSON, as without a terminal')
    .option(
      '--show',
      'show Riverhook with example handlers instead, and with a simulated provider that sends events to the configured endpoint'
    )
    .option('--once', 'exit after the show: with code 0, or 1 if a step did not go as expected')
    .addOption(
      new Option('--port <port>', 'the port to listen on')
        .env('RIVERHOOK_PORT')
        .argParser(portOf)
        .default(serverSettings.port.default)
    )
    .option('--endpoint <path>', 'the configured endpoint of the show; default: the first')
    .addOption(sourceOption())
    .action(async (flags: Flags, command: Command) => {
      if (flags.show === true || flags.once === true) await showIt(flags)
      else {
        requireProject(flags)
        await runProject(command, flags)
      }
    })
}

async function showIt(flags: Flags): Promise<void> {
  const target = await findTarget(flags)
  const { source } = target
  const hasApi = source.name === defaultSource().name
  if (!hasApi) checkSends(source)
  const path = new URL(target.url).pathname
  // A separate secret, so that a command to paste works and shows no secret of the configuration.
  const secret = newSecret(source)
  makeDevFolder()
  const endpoint = { source, path, secrets: withFirst(secret, target.given?.secrets), inbox }
  if (hasApi) await tryWithApi(flags, endpoint, secret)
  else await trySender(flags, endpoint, secret)
}

type Endpoint = Pick<RiverhookOptions, 'inbox' | 'secrets'> & { readonly path: string } & Pick<Target, 'source'>

async function tryWithApi(flags: Flags, endpoint: Endpoint, secret: string): Promise<void> {
  const rejections: Rejection[] = []
  // The show moves this clock, so that a retry after a quarter of an hour takes no time.
  const clock = createClock()
  const simulator = await createDigitalRiver({ secret, clock })
  await tryOut(
    flags,
    secret,
    {
      ...endpoint,
      handlers,
      backfill: { apiKey: simulator.apiKey, apiUrl: simulator.url },
      onRejected: (rejection: Rejection) => rejections.push(rejection)
    },
    {
      close: () => simulator.close(),
      async run(app, url) {
        print('  handlers        examples/handlers')
        print(`  signing secret  ${secret} (new for each run)`)
        print(`  Digital River   simulated, at ${simulator.url}`)
        const known = (await handlersIn(handlers)).of('digital-river')
        return show(app, tour({ app, url, secret, rejections, simulator, clock, handlers: known }))
      },
      more: () => {
        printMore(ofDigitalRiver(simulator))
      }
    }
  )
}

async function trySender(flags: Flags, endpoint: Endpoint, secret: string): Promise<void> {
  const { source } = endpoint
  const prepared = showOf(source)
  await tryOut(
    flags,
    secret,
    { ...endpoint, handlers: prepared.handlers },
    {
      close: () => undefined,
      run(app, url) {
        print('  handlers        audit and example, of this command')
        print(`  signing secret  ${secret} (new for each run)`)
        print(`  ${source.name.padEnd(16)}simulated`)
        return show(app, prepared.steps(url, secret))
      },
      more: () => {
        printMore(ofSender(flags.source ?? process.env['RIVERHOOK_SOURCE'] ?? source.name))
      }
    }
  )
}

interface Try {
  /** Releases what the show holds. */
  readonly close: () => unknown
  /** @returns whether every step went as expected */
  run(app: App, url: string): Promise<boolean>
  /** Prints what to do next. */
  more(): void
}

type ShowOptions = RiverhookOptions & Endpoint

/** Serves the endpoint, runs the show, and keeps serving unless `--once` is given. */
async function tryOut({ once, port, json }: Flags, secret: string, options: ShowOptions, show: Try): Promise<void> {
  const { closeOnSignals, createServer } = await importServer()
  const page = once === true ? undefined : await preparePage(host)
  const isPretty = json !== true && process.stdout.isTTY
  /** From the end of the show on. */
  const after: { lines?: Lines } = {}
  // Silent during the show, which prints what matters.
  const app = await createServer(
    {
      host,
      port,
      logLevel: 'silent',
      warnings: [],
      options: {
        ...options,
        onError: (error, failure) => {
          after.lines?.failed(error, failure)
        }
      },
      ...(page === undefined ? {} : { admin: page.admin() })
    },
    isPretty ? { log: { write: (line) => after.lines?.log.write(line) } } : {}
  )
  const atEnd = [show.close]
  app.addHook('onClose', async () => {
    for (const end of atEnd) await end()
  })
  const url = await app
    .listen({ host, port })
    .then(async (address) => {
      const url = address + options.path
      print(styled`Listening on ${style('bold', url)}`)
      print(`  inbox           ${inbox}`)
      const good = await show.run(app, url)
      if (once === true || !good) process.exitCode = good ? 0 : 1
      return url
    })
    .catch(async (error: unknown) => {
      await app.close()
      throw error
    })
  if (once === true) {
    await app.close()
    return
  }
  const { path, source } = options
  const pageUrl = await page?.url()
  writeDevFile({ inbox, endpoints: [{ path, source: source.name, url, secret }] })
  atEnd.push(endDevFile)
  print('')
  printFacts([
    ['URL', url],
    ['secret', secret],
    ['inbox', inbox],
    ...(pageUrl === undefined ? [] : [['page', pageUrl] as const])
  ])
  show.more()
  closeOnSignals(app)
  app.log.level = 'info'
  if (!isPretty) return
  const lines = (after.lines = new Lines())
  lines.begin()
  const endpoint: ServedEndpoint = { path, source, given: {}, url, secret }
  const actions = actionsOf({ app: async () => app, endpoints: () => [endpoint], pageUrl })
  const release = listenToKeys(actions, {
    onEnd: () => {
      process.kill(process.pid, 'SIGINT')
    },
    onFault: (error) => {
      lines.say(reasonOf(error))
    }
  })
  atEnd.push(release)
}

/** The secrets of the endpoint, with one more before them. */
function withFirst(secret: string, given: EndpointOptions['secrets']): EndpointOptions['secrets'] {
  if (given === undefined) return secret
  return async () => [secret, ...[typeof given === 'function' ? await given() : given].flat()]
}

function printMore(more: string): void {
  print(styled`
The server keeps running. Look, send and repair in another terminal, in this
folder:

  ${riverhookCommand} events list
  ${riverhookCommand} events show ID
  ${riverhookCommand} events replay --state dead
  ${riverhookCommand} stats
${more}
Press ${process.stdout.isTTY ? 't to send an event, ? for all keys, ' : ''}Ctrl-C to stop.
`)
}

function ofSender(name: string): string {
  return `  ${riverhookCommand} trigger my.event --new-type --source ${name}
  ${riverhookCommand} simulate --scenario all --source ${name}
`
}

function ofDigitalRiver({ url, apiKey }: DigitalRiverSimulator): string {
  return `  ${riverhookCommand} trigger order.accepted

Its simulated Digital River has an API:

  export DIGITAL_RIVER_API_URL=${url}
  export DIGITAL_RIVER_API_KEY=${apiKey}
  ${riverhookCommand} webhooks list
  ${riverhookCommand} backfill --since 1h \\
    --handlers ${exampleHandlers()}
`
}

function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('It must be a whole number from 0 to 65,535.')
}
