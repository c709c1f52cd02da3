import { Command } from 'commander'

import { RiverhookError, type EventDetail } from '../index.ts'
import { inboxOption, withInbox } from './inbox.ts'
import { print, printJson, styleState, time } from './print.ts'

interface Flags {
  readonly inbox: string
  readonly json?: true
}

export function showCommand(): Command {
  return new Command('show')
    .description('show one event: payload, deliveries, attempts, errors')
    .argument('<id>', 'the id of the event, or of a quarantined request')
    .option('--json', 'as one JSON object')
    .addOption(inboxOption())
    .action((id: string, flags: Flags) => withInbox(flags.inbox, async (inbox) => {
      const detail = await inbox.event(id)
      if (detail === undefined) throw new RiverhookError('RIVERHOOK_CLI_NOT_FOUND', `The inbox has no event with the id ${id}`)
      if (flags.json === true) printJson({ ...detail, body: payloadOf(detail) })
      else show(detail)
    }))
}

function show(detail: EventDetail): void {
  const { receipt, duplicates, conflicts } = detail
  const facts: [string, string | undefined][] = [
    ['id', detail.id],
    ['type', detail.type],
    ['state', styleState(detail.state)],
    ['reason', detail.reason],
    ['created', detail.createdTime],
    ['received', `${detail.receivedAt.toISOString()} ${detail.backfilled ? 'by backfill, for' : 'at'} ${detail.endpoint}`],
    ['mode', detail.liveMode === undefined ? undefined : detail.liveMode ? 'live' : 'test'],
    ['checks', `${receipt.checks.join(', ')}${receipt.secret === undefined ? '' : `; secret number ${receipt.secret}, ${receipt.driftMs === undefined ? 'at a time that cannot be read' : `${receipt.driftMs} ms after it was signed`}`}`],
    ['arrived again', duplicates === 0 ? undefined : `${duplicates === 1 ? 'once' : `${duplicates} times`}${conflicts === 0 ? '' : `, ${conflicts} of them with another body`}`]
  ]
  for (const [name, value] of facts) if (value !== undefined && value !== '') print(`${name.padEnd(14)}${value}`)
  // Before the deliveries: it may be long, and what became of the event is what one looks for.
  const payload = payloadOf(detail)
  print(`\n${typeof payload === 'string' ? payload : JSON.stringify(payload, undefined, 2)}`)
  for (const delivery of detail.deliveries) {
    const due = delivery.dueAt === undefined ? '' : `, due ${time(delivery.dueAt)}`
    const key = delivery.orderKey === undefined ? '' : `, order key ${delivery.orderKey}`
    const owner = delivery.owner === undefined ? '' : `, by ${delivery.owner}`
    print(`\n${delivery.handler}: ${styleState(delivery.state)}${due}${owner}${key}`)
    for (const { attempt, state, startedAt, endedAt, error } of delivery.attemptLog) {
      // When its process died nobody knows: only when its lease ran out.
      const took = state === 'expired' ? 'lease ran out then' : `${endedAt.getTime() - startedAt.getTime()} ms`
      print(`  ${startedAt.toISOString()}  attempt ${attempt}  ${state}  ${took}${error === undefined ? '' : `  ${error}`}`)
    }
  }
  if (detail.state === 'accepted' && detail.deliveries.length === 0) print('\nNo handler wanted it.')
}

/** The payload as JSON; as text where it is none; as Base64 where it is not even text. */
function payloadOf({ body }: EventDetail): unknown {
  const text = Buffer.from(body).toString()
  try {
    return JSON.parse(text) as unknown
  } catch {
    // A quarantined request may hold anything.
    return text.includes('\ufffd') ? `base64:${Buffer.from(body).toString('base64')}` : text
  }
}
