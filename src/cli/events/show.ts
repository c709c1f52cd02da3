import { Command } from 'commander'

import { RiverhookError, type CommandRiverhook, type EventDetail, type EventTrace } from '../../index.ts'
import { readBodyText, readKeySearch, recordReveal } from '../../programs.ts'
import { commandActor } from '../actor.ts'
import { besideServer } from '../config.ts'
import { inboxOption, withRiverhook } from '../inbox.ts'
import { findEvent, realmOption } from './filter.ts'
import { printEvents } from './list.ts'
import { compactJson, indentJson } from '../json-text.ts'
import { print, printBytes, styled, type Styled } from '../output.ts'
import { counted, styleState, time } from '../print.ts'

interface Flags {
  readonly inbox: string
  readonly json?: true
  readonly payload?: true
  readonly raw?: true
  readonly realm?: string
  readonly reveal?: true
}

/** The most events that are listed for a search key. */
const mostListed = 50

export function showCommand(): Command {
  return new Command('show')
    .description(
      'show one event: deliveries, attempts, errors, and its payload with --payload; or list the events about an order or a customer'
    )
    .argument('<id>', 'the id of an event or a quarantined request, or a search key, such as the id of an order')
    .addOption(realmOption())
    .option('--payload', 'the payload too, after the deliveries; personal data is masked')
    .option('--json', 'as one JSON object, with the payload; personal data is masked')
    .option('--reveal', 'do not mask personal data; recorded in the audit log')
    .option(
      '--raw',
      'only the body, byte for byte as received, nothing masked; recorded in the audit log; redirect it to a file or a pipe'
    )
    .addOption(inboxOption())
    .action((id: string, flags: Flags) => {
      if ([flags.raw, flags.json, flags.payload].filter((flag) => flag === true).length > 1)
        throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'Give one of --raw, --json and --payload')
      // Escape sequences in the body would reach the terminal.
      if (flags.raw === true && process.stdout.isTTY)
        throw new RiverhookError(
          'RIVERHOOK_CLI_USAGE',
          '--raw does not write to a terminal: redirect it to a file, or leave it out'
        )
      return withRiverhook(besideServer(flags), async ({ riverhook }) => {
        const { inbox } = riverhook
        if (flags.raw !== true && (await listAbout(riverhook, id, flags))) return
        const { realm } = await findEvent(inbox, id, flags.realm)
        const detail = await inbox.event({ realm, id })
        if (detail === undefined)
          throw new RiverhookError('RIVERHOOK_CLI_NOT_FOUND', `The event ${id} was removed in the meantime`)
        if (flags.raw === true || flags.reveal === true) await recordReveal(inbox, commandActor(), [{ realm, id }])
        if (flags.raw === true) {
          printBytes(detail.body)
          return
        }
        const shown = flags.reveal === true ? reveal(detail) : maskedEvent(riverhook, detail)
        const trace = riverhook.traceOf(detail)
        if (flags.json === true) print(asJson({ ...shown, traceId: trace?.traceId, traceUrl: trace?.url }))
        else show(shown, { withPayload: flags.payload === true, trace })
      })
    })
}

/** An event as it is shown. */
interface ShownEvent extends Omit<EventDetail, 'body' | 'headers' | 'trace'> {
  readonly traceId?: string | undefined
  readonly traceUrl?: string | undefined
  readonly headers?: EventDetail['headers']
  readonly body: ShownBody
}

/** The body as text, or undefined if all of it is masked. */
interface ShownBody {
  readonly bytes: number
  readonly encoding: ReturnType<typeof readBodyText>['encoding']
  readonly text: string | undefined
}

/** An event with all its data. */
export function reveal({ body, trace: _trace, ...event }: EventDetail): ShownEvent {
  return { ...event, body: { bytes: body.byteLength, ...readBodyText(body) } }
}

/** An event without personal data. */
export function maskedEvent(riverhook: CommandRiverhook, detail: EventDetail): ShownEvent {
  const { payload, bytes, trace: _trace, ...event } = riverhook.mask(detail)
  return { ...event, body: { bytes, encoding: 'json', text: payload } }
}

/** Lists the newest events about a search key, unless it is the id of an event. @returns whether there are any */
async function listAbout(riverhook: CommandRiverhook, key: string, flags: Flags): Promise<boolean> {
  const { inbox } = riverhook
  const { realm } = flags
  if (readKeySearch(key) === undefined) return false
  if ((await inbox.events({ id: key, realm, limit: 1 })).events.length > 0) return false
  const { events, next } = await inbox.events({ about: key, realm, limit: mostListed })
  if (events.length === 0) return false
  printEvents(await riverhook.maskList(events), flags)
  if (flags.json === true) return true
  if (next !== undefined) print('\nThere are more. To filter them, run: riverhook events list --about KEY')
  print('\nShow one of them: riverhook events show ID')
  return true
}

function show(
  detail: ShownEvent,
  { withPayload, trace }: { readonly withPayload: boolean; readonly trace: EventTrace | undefined }
): void {
  const { receipt, duplicates, conflicts } = detail
  const facts: [string, string | Styled | undefined][] = [
    ['id', detail.id],
    ['realm', detail.realm],
    ['type', detail.type],
    ['state', styleState(detail.state)],
    ['reason', detail.reason],
    ['created', detail.createdTime],
    ['about', detail.about.join(', ')],
    [
      'received',
      `${detail.receivedAt.toISOString()} ${detail.backfilled ? 'by backfill, for' : 'at'} ${detail.endpoint}`
    ],
    ['mode', detail.liveMode === undefined ? undefined : detail.liveMode ? 'live' : 'test'],
    [
      'checks',
      `${receipt.checks.join(', ')}${receipt.secret === undefined ? '' : `; secret number ${receipt.secret}, ${receipt.skewMs === undefined ? 'no signed time was read' : `${receipt.skewMs} ms after it was signed`}`}`
    ],
    [
      'arrived again',
      duplicates === 0
        ? undefined
        : `${duplicates === 1 ? 'once' : `${duplicates} times`}${conflicts === 0 ? '' : `, ${conflicts} of them with another body`}`
    ],
    ['trace', trace?.url ?? trace?.traceId]
  ]
  for (const [name, value] of facts) if (value !== undefined && value !== '') print(styled`${name.padEnd(14)}${value}`)
  if (detail.state === 'accepted' && detail.deliveries.length === 0)
    print('\nNo handler was registered for this event.')
  for (const delivery of detail.deliveries) {
    const due = delivery.dueAt === undefined ? '' : `, due ${time(delivery.dueAt)}`
    const key = delivery.orderKey === undefined ? '' : `, order key ${delivery.orderKey}`
    const owner = delivery.owner === undefined ? '' : `, by ${delivery.owner}`
    const losses =
      delivery.losses === 0
        ? ''
        : `, ${delivery.losses === 1 ? '1 lost run that does' : `${delivery.losses} lost runs that do`} not count`
    print(styled`\n${delivery.handler}: ${styleState(delivery.state)}${due}${owner}${key}${losses}`)
    for (const { attempt, state, startedAt, endedAt, error } of delivery.attemptLog) {
      // When the process died is unknown; when its lease ran out is known.
      const took = state === 'lost' ? 'lost by then' : `${endedAt.getTime() - startedAt.getTime()} ms`
      print(
        `  ${startedAt.toISOString()}  attempt ${attempt}  ${state}  ${took}${error === undefined ? '' : `  ${error}`}`
      )
    }
  }
  // The body may be long, so it comes last, and only if it is asked for.
  print(
    withPayload
      ? `\n${bodyText(detail.body, indentJson)}`
      : `\nThe payload has ${counted(detail.body.bytes, 'byte')}; to see it, add --payload`
  )
}

/** Inserts the body as text: its numbers stay as received, and no depth overflows the stack. */
export function asJson({ body, ...detail }: ShownEvent): string {
  const start = JSON.stringify(detail).slice(0, -1)
  if (body.text === undefined) return `${start}}`
  const text = bodyText(body, compactJson)
  return `${start},"body":${body.encoding === 'json' ? text : JSON.stringify(text)}}`
}

/** The body as text: JSON in the given form, and Base64 if it is not UTF-8. */
function bodyText({ bytes, encoding, text }: ShownBody, formJson: (json: string) => string): string {
  if (text === undefined) return `${counted(bytes, 'byte')}, masked; to see them, add --reveal`
  return encoding === 'json' ? formJson(text) : encoding === 'base64' ? `base64:${text}` : text
}
