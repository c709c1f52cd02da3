import { readFileSync } from 'node:fs'

import { Command, Option } from 'commander'

import { RiverhookError } from '../index.ts'
import { print } from './output.ts'
import { signedPost, signingSecret, type SecretFlags } from './signed-post.ts'
import { defaultPath, providerName } from '../options/default-names.ts'

/** The flags of commands that send: the endpoint and the signing secret. */
export interface SendFlags extends SecretFlags {
  readonly url: string
}

export function sendCommand(): Command {
  return addSendFlags(new Command('send').description(`sign an event of your own as ${providerName} does, and POST it`))
    .argument('<file>', 'a file with the event as JSON; - for standard input')
    .action(async (file: string, flags: SendFlags) => {
      const { status, statusText, ok, text } = await signedPost(flags.url, read(file), signingSecret(flags))
      print(`${status} ${statusText}`)
      if (text !== '') print(text)
      if (status >= 300 && status < 400)
        print(`Redirects are not followed: ${providerName} treats a redirect as a failure.`)
      if (!ok) process.exitCode = 1
    })
}

export function addSendFlags(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'the endpoint').default(`http://127.0.0.1:8080${defaultPath}`))
    .option(
      '--secret-file <file>',
      'a file with the signing secret; else the first of RIVERHOOK_SECRETS or RIVERHOOK_SECRETS_FILE'
    )
    .option(
      '--secret <secret>',
      'the signing secret itself; other users of this machine can see it in the process list'
    )
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : file)
  } catch (error) {
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error }
    )
  }
}
