import { readFileSync } from 'node:fs'

import { Command } from 'commander'

import { RiverhookError, type Source } from '../index.ts'
import { addTargetFlags, findTarget, type EndpointFlags } from './endpoint.ts'
import { print } from './output.ts'
import { requireSecret, signedPost } from './signed-post.ts'

interface Flags extends EndpointFlags {
  readonly id?: string
  readonly type?: string
}

export function sendCommand(): Command {
  return addSendFlags(new Command('send').description('sign an event of your own as its provider does, and POST it'))
    .argument('<file>', 'a file with the body, usually JSON; - for standard input')
    .option('--id <id>', 'the id of the event, for a provider that sends it in a header; default: a new one')
    .option('--type <type>', 'the type of the event, for a provider that sends it in a header')
    .action(run)
}

async function run(file: string, flags: Flags): Promise<void> {
  const target = await findTarget(flags)
  const { id, type } = flags
  const body = read(file)
  const secret = requireSecret(target.source, await target.secret())
  for (const name of ['id', 'type'] as const) checkEffect(target.source, { body, secret }, name, flags[name])
  const { status, statusText, ok, text } = await signedPost(target, { body, secret, id, type })
  print(`${status} ${statusText}`)
  if (text !== '') print(text)
  if (status >= 300 && status < 400) print('Redirects are not followed: providers treat a redirect as a failure.')
  if (!ok) process.exitCode = 1
}

/** Refuses a flag that changes nothing, because the provider has the value in the body. */
function checkEffect(
  source: Source,
  { body, secret }: { readonly body: Uint8Array; readonly secret: string },
  name: 'id' | 'type',
  given: string | undefined
): void {
  if (given === undefined || source.sign === undefined) return
  const at = new Date()
  const [one, other] = ['a', 'b'].map((value) =>
    JSON.stringify(source.sign?.({ body, secret, at, id: 'id', type: 'type', [name]: value }))
  )
  if (one !== other) return
  throw new RiverhookError(
    'RIVERHOOK_CLI_USAGE',
    `--${name} has no effect: an event of ${source.name} has its ${name} in the body`
  )
}

export function addSendFlags(command: Command): Command {
  return addTargetFlags(
    command.option('--url <url>', 'where to send it; default: this machine, at the port and path of the configuration')
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
