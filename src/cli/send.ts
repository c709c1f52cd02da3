import { readFileSync } from 'node:fs'

import { Command, Option } from 'commander'

import { RiverhookError } from '../index.ts'
import { print } from './print.ts'
import { signedPost, signingSecret } from './signed-post.ts'

/** To whom, and signed with what: the flags of commands that send. */
export interface SendFlags {
  readonly url: string
  readonly secret?: string
}

export function sendCommand(): Command {
  return addSendFlags(new Command('send').description('sign an Event of your own as Digital River does, and POST it'))
    .argument('<file>', 'a file with the JSON of the Event; - for standard input')
    .action(async (file: string, { url, secret }: SendFlags) => {
      const response = await signedPost(url, read(file), signingSecret(secret))
      print(`${response.status} ${response.statusText}`)
      const text = await response.text()
      if (text !== '') print(text)
      if (!response.ok) process.exitCode = 1
    })
}

export function addSendFlags(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'the endpoint').default('http://127.0.0.1:8080/webhooks/digital-river'))
    .option('--secret <secret>', 'the signing secret; else the first of RIVERHOOK_SECRETS or RIVERHOOK_SECRETS_FILE')
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : file)
  } catch (error) {
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
