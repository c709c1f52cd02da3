import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { Command, InvalidArgumentError, Option } from 'commander'

import { type EndpointOptions, type Rejection, type RiverhookOptions } from '../index.ts'
import { handlersIn } from '../programs.ts'
import type { AdminConfig } from '../options/admin-config.ts'
import { defaultSource } from '../options/default-source.ts'
import { serverSettings } from '../options/server-settings.ts'
import { createClock, createDigitalRiver, newSecret, type DigitalRiverSimulator } from '../testing/index.ts'
import { showOf } from './dev-sender.ts'
import { show, tour } from './dev-show.ts'
import { checkSends, findTarget, sourceOption, type Target } from './endpoint.ts'
import { importServer } from './import-server.ts'
import { riverhookCommand } from './invocation.ts'
import { print, style, styled } from './output.ts'

interface Flags {
  readonly once?: true
  readonly port: number
  readonly endpoint?: string
  readonly source?: string
}

const inbox = 'sqlite:.riverhook/dev.db'
const handlers = fileURLToPath(new URL('../../examples/handlers', import.meta.url))
const host = '127.0.0.1'

export function devCommand(): Command {
  return new Command('dev')
    .description(
      'try it out: a server with example handlers and a simulated provider that sends it events; the endpoint has the source, the path and the secrets of the configuration'
    )
    .option('--once', 'exit after the show: with code 0, or 1 if a step did not go as expected')
    .addOption(
      new Option('--port <port>', 'the port to listen on')
        .env('RIVERHOOK_PORT')
        .argParser(portOf)
        .default(serverSettings.port.default)
    )
    .option('--endpoint <path>', 'the configured endpoint to try; default: the first')
    .addOption(sourceOption())
    .action(dev)
}

async function dev(flags: Flags): Promise<void> {
  const target = await findTarget(flags)
  const { source } = target
  const hasApi = source.name === defaultSource().name
  if (!hasApi) checkSends(source)
  const path = new URL(target.url).pathname
  // A separate secret, so that a command to paste works and shows no secret of the configuration.
  const secret = newSecret(source)
  mkdirSync('.riverhook', { recursive: true, mode: 0o700 })
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
      more: (url) => {
        printMore(url, secret, simulator)
      }
    }
  )
}

async function trySender(flags: Flags, endpoint: Endpoint, secret: string): Promise<void> {
  const { source } = endpoint
  const prepared = showOf(source)
  await tryOut(
    flags,
    { ...endpoint, handlers: prepared.handlers },
    {
      close: () => undefined,
      run(app, url) {
        print('  handlers        audit and example, of this command')
        print(`  signing secret  ${secret} (new for each run)`)
        print(`  ${source.name.padEnd(16)}simulated`)
        return show(app, prepared.steps(url, secret))
      },
      more: (url) => {
        printMoreOf(flags.source ?? process.env['RIVERHOOK_SOURCE'] ?? source.name, url, secret)
      }
    }
  )
}

interface Try {
  /** Releases what the show holds. */
  close(): unknown
  /** @returns whether every step went as expected */
  run(app: App, url: string): Promise<boolean>
  /** Prints what to do next. */
  more(url: string): void
}

type App = Awaited<ReturnType<Awaited<ReturnType<typeof importServer>>['createServer']>>

/** Serves the endpoint, runs the show, and keeps serving unless `--once` is given. */
async function tryOut({ once, port }: Flags, options: RiverhookOptions & Endpoint, show: Try): Promise<void> {
  const { closeOnSignals, createServer } = await importServer()
  const page = once === true ? undefined : await preparePage()
  // Silent during the show, which prints what matters.
  const app = await createServer({
    host,
    port,
    logLevel: 'silent',
    warnings: [],
    options,
    ...(page === undefined ? {} : { admin: page.admin })
  })
  app.addHook('onClose', () => show.close())
  try {
    const url = (await app.listen({ host, port })) + options.path
    print(styled`Listening on ${style('bold', url)}`)
    print(`  inbox           ${inbox}`)
    const pageUrl = await page?.url()
    if (pageUrl !== undefined) print(styled`  page            ${style('bold', pageUrl)}`)
    const good = await show.run(app, url)
    if (once === true || !good) process.exitCode = good ? 0 : 1
    if (once === true) {
      await app.close()
      return
    }
    if (pageUrl !== undefined) print(styled`\nTo look at what happened, and to repair, open ${style('bold', pageUrl)}`)
    show.more(url)
  } catch (error) {
    await app.close()
    throw error
  }
  closeOnSignals(app)
  app.log.level = 'info'
}

/**
 * The operator's page on a free port, with a token for this run. The token is in the fragment of the address, which a
 * browser does not send.
 */
async function preparePage(): Promise<{
  readonly admin: AdminConfig
  readonly url: () => Promise<string | undefined>
}> {
  const [{ newToken }, { scopes }] = await Promise.all([import('../admin/tokens.ts'), import('../admin/scope.ts')])
  const { token, line } = newToken('dev', scopes)
  let address: string | undefined
  return {
    admin: {
      areMetricsOpen: false,
      host,
      port: 0,
      tokens: line,
      hosts: [],
      onListen: (url) => {
        address = url
      }
    },
    // In a clone, the page may not be built.
    url: async () => (address !== undefined && (await fetch(address)).ok ? `${address}/#token=${token}` : undefined)
  }
}

/** The secrets of the endpoint, with one more before them. */
function withFirst(secret: string, given: EndpointOptions['secrets']): EndpointOptions['secrets'] {
  if (given === undefined) return secret
  return async () => [secret, ...[typeof given === 'function' ? await given() : given].flat()]
}

function printMoreOf(name: string, url: string, secret: string): void {
  const config = process.env['RIVERHOOK_CONFIG']
  const target = `--source ${name} --url ${url} --secret "$secret"`
  print(styled`
The server keeps running, and its log follows. To send more events, in another terminal:

  secret=${secret}${config === undefined ? '' : `\n  export RIVERHOOK_CONFIG=${config}`}
  ${riverhookCommand} trigger my.event --new-type ${target}
  ${riverhookCommand} simulate --scenario all ${target.replace('--url', '--address')}
  ${riverhookCommand} events list --inbox ${inbox}
  ${riverhookCommand} events show ID --inbox ${inbox}
  ${riverhookCommand} events replay --state dead --inbox ${inbox}
  ${riverhookCommand} stats --inbox ${inbox}

Press Ctrl-C to stop.
`)
}

function printMore(url: string, secret: string, simulator: DigitalRiverSimulator): void {
  print(styled`
The server keeps running, and its log follows. To send more events, in another terminal:

  secret=${secret}
  ${riverhookCommand} trigger order.accepted --set id=my-event-$(date +%s) --print > my-event.json

  ${style('dim', '# with curl')}
  now=$(date +%s)
  signature=$( (printf '%s.' "$now"; cat my-event.json) | openssl dgst -sha256 -hmac "$secret" -binary | base64)
  curl -i ${url} -H 'content-type: application/json' -H "DigitalRiver-Signature: $now, $signature" --data-binary @my-event.json

  ${style('dim', '# with the command line; then look, and repair')}
  ${riverhookCommand} send my-event.json --url ${url} --secret "$secret"
  ${riverhookCommand} events list --inbox ${inbox}
  ${riverhookCommand} events show ID --inbox ${inbox}
  ${riverhookCommand} events replay --state dead --inbox ${inbox}
  ${riverhookCommand} stats --inbox ${inbox}

  ${style('dim', '# at the simulated Digital River')}
  export DIGITAL_RIVER_API_URL=${simulator.url} DIGITAL_RIVER_API_KEY=${simulator.apiKey}
  ${riverhookCommand} webhooks list
  ${riverhookCommand} backfill --since 1h --handlers ${handlers} --inbox ${inbox}
  ${riverhookCommand} simulate --address ${url} --secret "$secret" --scenario all

Press Ctrl-C to stop.
`)
}

function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('It must be a whole number from 0 to 65,535.')
}
