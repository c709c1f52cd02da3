import { Command, InvalidArgumentError } from 'commander'

import { catalogue, RiverhookError } from '../index.ts'
import { unknownTypeHint } from '../programs.ts'
import { sampleEvent } from '../testing/index.ts'
import { print, style, styled } from './output.ts'
import { addSendFlags, type SendFlags } from './send.ts'
import { setPath } from './webhooks/set-path.ts'
import { signedPost, signingSecret } from './signed-post.ts'

interface Flags extends SendFlags {
  readonly set: readonly string[]
  readonly count: number
  readonly seed?: string
  readonly live?: true
  readonly newType?: true
  readonly print?: true
}

export function triggerCommand(): Command {
  return addSendFlags(
    new Command('trigger').description('make a sample event, sign it as Digital River does, and POST it')
  )
    .argument('<type>', 'an event type, such as order.accepted; `riverhook event-types` lists them')
    .option(
      '--set <path=value>',
      'set a field of the event, such as data.object.id=o1; may be repeated',
      (text: string, before: readonly string[]) => [...before, text],
      []
    )
    .option('--count <events>', 'how many events, each with its own id', wholeNumber, 1)
    .option('--seed <seed>', 'the same seed gives the same events with the same ids, so a second send is a duplicate')
    .option('--live', 'an event of the production environment')
    .option('--new-type', 'allow a type that the catalogue does not know')
    .option('--print', 'print the event, one JSON object a line, and send nothing')
    .action(run)
}

async function run(type: string, flags: Flags): Promise<void> {
  if (!Object.hasOwn(catalogue, type) && flags.newType !== true) {
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      `No event type "${type}" is known${unknownTypeHint(type, Object.keys(catalogue))} To send it nevertheless, pass --new-type`
    )
  }
  const secret = flags.print === true ? '' : signingSecret(flags)
  for (let index = 0; index < flags.count; index += 1) {
    const event = makeEvent(type, flags, index)
    if (flags.print === true) {
      print(JSON.stringify(event))
      continue
    }
    const { status, ok, text } = await signedPost(flags.url, Buffer.from(JSON.stringify(event)), secret)
    print(styled`${style(ok ? 'green' : 'red', String(status))}  ${type}  ${event.id}  ${text}`)
    if (!ok) process.exitCode = 1
  }
}

function makeEvent(type: string, { seed, live, set }: Flags, index: number): { readonly id: string } {
  const event = sampleEvent(
    type,
    live === true ? { liveMode: true } : {},
    seed === undefined ? {} : { seed: `${seed}/${index}` }
  )
  for (const assignment of set) setPath(event, assignment)
  return event
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 100_000) return value
  throw new InvalidArgumentError('It must be a whole number from 1 to 100,000.')
}
