import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'

import { Command, InvalidArgumentError, Option } from 'commander'

import { type Rejection } from '../index.ts'
import { handlersIn } from '../programs.ts'
import { serverSettings } from '../options/server-settings.ts'
import { createClock, createDigitalRiver, type DigitalRiverSimulator } from '../testing/index.ts'
import { show } from './dev-show.ts'
import { importServer } from './import-server.ts'
import { print, style, styled } from './output.ts'

interface Flags {
  readonly once?: true
  readonly port: number
}

const inbox = 'sqlite:.riverhook/dev.db'
const handlers = fileURLToPath(new URL('../../examples/handlers', import.meta.url))
const path = '/webhooks/digital-river'
const host = '127.0.0.1'

export function devCommand(): Command {
  return new Command('dev')
    .description('try it out: a server with example handlers and a simulated Digital River that sends it events')
    .option('--once', 'exit after the show: with code 0, or 1 if a step did not go as expected')
    .addOption(
      new Option('--port <port>', 'the port to listen on')
        .env('RIVERHOOK_PORT')
        .argParser(portOf)
        .default(serverSettings.port.default)
    )
    .action(dev)
}

async function dev({ once, port }: Flags): Promise<void> {
  const { closeOnSignals, createServer } = await importServer()
  const secret = `whk_${randomUUID()}`
  const rejections: Rejection[] = []
  // The show moves this clock, so that a retry after a quarter of an hour takes no time.
  const clock = createClock()
  const river = await createDigitalRiver({ secret, clock })
  const options = {
    path,
    secrets: secret,
    inbox,
    handlers,
    backfill: { apiKey: river.apiKey, apiUrl: river.url },
    onRejected: (rejection: Rejection) => rejections.push(rejection)
  }
  // Silent during the show, which prints what matters.
  const app = await createServer({ host, port, logLevel: 'silent', warnings: [], options })
  app.addHook('onClose', () => river.close())
  try {
    const origin = await app.listen({ host, port })
    const url = origin + path
    print(styled`Listening on ${style('bold', url)}`)
    print(`  inbox           ${inbox}`)
    print('  handlers        examples/handlers')
    print(`  signing secret  ${secret} (new for each run)`)
    print(`  Digital River   simulated, at ${river.url}`)
    const good = await show({
      app,
      url,
      secret,
      rejections,
      river,
      clock,
      handlers: (await handlersIn(handlers)).of('digital-river')
    })
    if (once === true || !good) process.exitCode = good ? 0 : 1
    if (once === true) {
      await app.close()
      return
    }
    printMore(url, secret, river)
  } catch (error) {
    await app.close()
    throw error
  }
  closeOnSignals(app)
  app.log.level = 'info'
}

function printMore(url: string, secret: string, river: DigitalRiverSimulator): void {
  print(styled`
The server keeps running, and its log follows. To send more events, in another terminal:

  secret=${secret}
  npm run -s riverhook -- trigger order.accepted --set id=my-event-$(date +%s) --print > my-event.json

  ${style('dim', '# with curl')}
  now=$(date +%s)
  signature=$( (printf '%s.' "$now"; cat my-event.json) | openssl dgst -sha256 -hmac "$secret" -binary | base64)
  curl -i ${url} -H 'content-type: application/json' -H "DigitalRiver-Signature: $now, $signature" --data-binary @my-event.json

  ${style('dim', '# with the command line; then look, and repair')}
  export RIVERHOOK_SECRETS="$secret"
  npm run -s riverhook -- send my-event.json --url ${url}
  npm run -s riverhook -- events list --inbox ${inbox}
  npm run -s riverhook -- events show ID --inbox ${inbox}
  npm run -s riverhook -- events replay --state dead --inbox ${inbox}
  npm run -s riverhook -- stats --inbox ${inbox}

  ${style('dim', '# at the simulated Digital River')}
  export DIGITAL_RIVER_API_URL=${river.url} DIGITAL_RIVER_API_KEY=${river.apiKey}
  npm run -s riverhook -- webhooks list
  npm run -s riverhook -- backfill --since 1h --handlers ${handlers} --inbox ${inbox}
  npm run -s riverhook -- simulate --address ${url} --scenario all

Press Ctrl-C to stop.
`)
}

function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('It must be a whole number from 0 to 65,535.')
}
