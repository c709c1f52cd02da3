import { readFileSync } from 'node:fs'

import { Command, Option } from 'commander'

import { digitalRiver, RiverhookError } from '../index.ts'
import { readConfig } from '../server/config.ts'
import { print } from './print.ts'

interface Flags {
  readonly url: string
  readonly secret?: string
}

export function sendCommand(): Command {
  return new Command('send')
    .description('sign an Event of your own as Digital River does, and POST it')
    .argument('<file>', 'a file with the JSON of the Event; - for standard input')
    .addOption(new Option('--url <url>', 'the endpoint').default('http://127.0.0.1:8080/webhooks/digital-river'))
    .option('--secret <secret>', 'the signing secret; else the first of RIVERHOOK_SECRETS or RIVERHOOK_SECRETS_FILE')
    .action(async (file: string, flags: Flags) => {
      const body = read(file)
      const secret = flags.secret ?? configuredSecret()
      const headers = { 'content-type': 'application/json', ...digitalRiver().sign({ body, secret, at: new Date() }) }
      const response = await post(flags.url, body, headers)
      print(`${response.status} ${response.statusText}`)
      const text = await response.text()
      if (text !== '') print(text)
      if (!response.ok) process.exitCode = 1
    })
}

function read(file: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(readFileSync(file === '-' ? 0 : file))
  } catch (error) {
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function configuredSecret(): string {
  const { secrets } = readConfig(process.env).options
  const list = typeof secrets === 'function' ? secrets() : secrets
  const first = typeof list === 'string' ? list : Array.isArray(list) ? (list as readonly string[])[0] : undefined
  if (first !== undefined) return first
  throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'Sign with what? Give --secret, or set RIVERHOOK_SECRETS or RIVERHOOK_SECRETS_FILE')
}

async function post(url: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, { method: 'POST', body, headers })
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    const reason = cause instanceof Error ? cause.message : error instanceof Error ? error.message : String(error)
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', `${url} cannot be reached: ${reason}. Is the server running, and is this its address?`, { cause: error })
  }
}
