import { Command, InvalidArgumentError, Option } from 'commander'

import { RiverhookError, type Source } from '../index.ts'
import { unknownTypeHint } from '../programs.ts'
import { sampleBody } from '../testing/index.ts'
import { checkSamples, findTarget, type EndpointFlags } from './endpoint.ts'
import { print, style, styled } from './output.ts'
import { addSendFlags } from './send.ts'
import { setPath } from './set-path.ts'
import { requireSecret, signedPost } from './signed-post.ts'

interface Flags extends EndpointFlags {
  readonly set: readonly string[]
  readonly count: number
  readonly seed?: string
  readonly live?: true
  readonly newType?: true
  readonly print?: true
}

export function triggerCommand(): Command {
  return addSendFlags(
    new Command('trigger').description('make a sample event, sign it as its provider does, and POST it')
  )
    .argument('<type>', 'an event type, such as order.accepted; `riverhook event-types` lists them')
    .addOption(
      new Option('--set <path=value>', 'set a field of the body, such as data.object.id=o1; may be repeated')
        .argParser((text: string, before: readonly string[]) => [...before, text])
        .default([], 'none')
    )
    .option('--count <events>', 'how many events, each with its own id', wholeNumber, 1)
    .option('--seed <seed>', 'the same seed gives the same events with the same ids, so a second send is a duplicate')
    .option('--live', 'an event of the production environment')
    .option('--new-type', 'allow a type that is not in the list of known types')
    .option('--print', 'print the bodies as JSON, one a line, and send nothing')
    .action(run)
}

async function run(type: string, flags: Flags): Promise<void> {
  const target = await findTarget(flags)
  const { source } = target
  checkSamples(source)
  if (source.types.length > 0 && !source.types.includes(type) && flags.newType !== true) {
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      `No event type "${type}" is known${unknownTypeHint(type, source.types)} riverhook event-types lists those that are. To send it nevertheless, pass --new-type`
    )
  }
  const secret = flags.print === true ? '' : requireSecret(source, await target.secret())
  for (let index = 0; index < flags.count; index += 1) {
    const made = makeEvent(source, type, flags, index)
    const text = JSON.stringify(made.body)
    if (flags.print === true) {
      print(text)
      continue
    }
    const post = { body: Buffer.from(text), secret, id: made.id, type }
    const { status, ok, eventId = made.id, text: answer } = await signedPost(target, post)
    print(styled`${style(ok ? 'green' : 'red', String(status))}  ${type}  ${eventId}  ${answer}`)
    if (!ok) process.exitCode = 1
  }
}

function makeEvent(
  source: Source,
  type: string,
  { seed, live, set }: Flags,
  index: number
): { readonly id: string; readonly body: object } {
  const { body, id } = sampleBody(source, {
    type,
    liveMode: live === true,
    seed: seed === undefined ? undefined : `${seed}/${index}`
  })
  for (const assignment of set) setPath(body, assignment)
  return { body, id: 'id' in body && typeof body.id === 'string' ? body.id : id }
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= 100_000) return value
  throw new InvalidArgumentError('It must be a whole number from 1 to 100,000.')
}
