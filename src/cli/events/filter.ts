import { type Command, InvalidArgumentError, Option } from 'commander'

import {
  deliveryStates,
  eventStates,
  RiverhookError,
  type EventFilter,
  type EventSummary,
  type Inbox
} from '../../index.ts'
import { conditionForm, eventPages, readCondition, readKeySearch } from '../../programs.ts'
import { instantOf } from '../inbox.ts'
import { printError } from '../output.ts'
import { time } from '../print.ts'

/** The flags that select events. */
export interface FilterFlags {
  readonly about?: string
  readonly realm?: string
  readonly type?: string
  readonly endpoint?: string
  readonly live?: true
  readonly test?: true
  readonly state?: NonNullable<EventFilter['state']>
  readonly handler?: string
  readonly error?: string
  readonly where?: readonly string[]
  readonly since?: string
  readonly until?: string
}

/** Adds the options that select events to a command. */
export function addFilter(command: Command): Command {
  return command
    .option('--about <key>', 'only events about this id or address, such as an order; * at the end matches any ending')
    .addOption(realmOption())
    .option('--type <pattern>', 'only events of this type, or pattern such as order.*')
    .option('--endpoint <path>', 'only events that arrived at this path, such as /webhooks')
    .addOption(new Option('--live', 'only live events').conflicts('test'))
    .option('--test', 'only test events')
    .addOption(
      new Option('--state <state>', 'only events in this state, or with a delivery in this state').choices([
        ...deliveryStates,
        ...eventStates
      ])
    )
    .option('--handler <name>', 'only events with a delivery to this handler')
    .option('--error <text>', 'only events with a failing delivery whose last error contains this text')
    .addOption(
      new Option(
        '--where <condition>',
        'only events whose body meets this condition, such as "data.object.totalAmount>100"; operators: = != > < >= <= ~ exists; may be repeated'
      ).argParser<readonly string[] | undefined>((text, before) => [...(before ?? []), text])
    )
    .option('--since <time>', 'received at or after: 24h, or an instant')
    .option('--until <time>', 'received before: 1h, or an instant')
}

/** `--realm`, for every command that looks at events. */
export function realmOption(): Option {
  return new Option('--realm <name>', 'only events of this realm; default: of all')
}

/**
 * Finds the event of an id, in whatever realm it is.
 * @throws {RiverhookError} RIVERHOOK_CLI_NOT_FOUND; RIVERHOOK_CLI_USAGE when several realms have the id
 */
export async function findEvent(inbox: Inbox, id: string, realm?: string): Promise<EventSummary> {
  const { events } = await inbox.events({ id, realm, limit: 100 })
  const [found, ...others] = events
  if (found === undefined) {
    const where = realm === undefined ? 'The inbox' : `The realm ${realm} of the inbox`
    throw new RiverhookError('RIVERHOOK_CLI_NOT_FOUND', `${where} has no event with the id ${id}`)
  }
  if (others.length === 0) return found
  const realms = events.map((event) => event.realm).sort()
  throw new RiverhookError(
    'RIVERHOOK_CLI_USAGE',
    `${realms.length} realms have an event with the id ${id}: add --realm ${realms.join(' or --realm ')}`
  )
}

/** Whether a list must name the realm of each entry. */
export function hasSeveralRealms(entries: readonly { readonly realm: string }[]): boolean {
  return new Set(entries.map(({ realm }) => realm)).size > 1
}

/** The flags as the inbox understands them. @throws {RiverhookError} RIVERHOOK_CLI_USAGE */
export function filterOf({
  about,
  realm,
  type,
  endpoint,
  live,
  test,
  state,
  handler,
  error,
  where,
  since,
  until
}: FilterFlags): Omit<EventFilter, 'limit' | 'after'> {
  if (about !== undefined && readKeySearch(about) === undefined)
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      '--about must be an id or an address of 1 to 200 characters, or at least 3 characters and a * at the end'
    )
  const unreadable = where?.find((text) => readCondition(text) === undefined)
  if (unreadable !== undefined)
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', `--where "${unreadable}" ${conditionForm}`)
  return {
    about,
    realm,
    type,
    endpoint,
    live: live ?? (test === true ? false : undefined),
    state,
    handler,
    error,
    where,
    since: instantOf('--since', since),
    until: instantOf('--until', until)
  }
}

/** Every event that matches the filter, read page by page. */
export async function* eventsIn(
  inbox: Inbox,
  filter: Omit<EventFilter, 'limit' | 'after'>
): AsyncGenerator<EventSummary> {
  for await (const { events } of eventPages(inbox, { ...filter, limit: 500 })) yield* events
}

/**
 * Reads a page of events. Continues a search that the inbox ended because of its time, until the page is full or all
 * events were looked at. On a terminal, shows now and then how far it is.
 */
export async function readPage(
  inbox: Inbox,
  filter: Omit<EventFilter, 'after'>
): Promise<{ readonly events: readonly EventSummary[]; readonly hasMore: boolean }> {
  const events: EventSummary[] = []
  let after: number | undefined
  for (let pages = 1; ; pages += 1) {
    const page = await inbox.events({ ...filter, limit: filter.limit - events.length, after })
    events.push(...page.events)
    after = page.next
    const isOver = page.searchedTo === undefined || after === undefined || events.length === filter.limit
    if (isOver) return { events, hasMore: after !== undefined }
    if (process.stderr.isTTY && pages % 10 === 1)
      printError(`Searched back to ${time(page.searchedTo)}. Press Ctrl-C to stop`)
  }
}

/**
 * Refuses a filter beside an id: it would be ignored.
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE that names the flag
 */
export function refuseBesideId(flags: FilterFlags, refused: readonly (keyof FilterFlags)[]): void {
  const given = refused.find((name) => flags[name] !== undefined)
  if (given !== undefined)
    throw new RiverhookError('RIVERHOOK_CLI_USAGE', `An ID names one event: leave out --${given}, or leave out the ID`)
}

/** Reads the value of `--limit`, a whole number from 1 to `most`. */
export function limitOf(most: number): (text: string) => number {
  return (text) => {
    const limit = Number(text)
    if (Number.isInteger(limit) && limit >= 1 && limit <= most) return limit
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most.toLocaleString('en')}.`)
  }
}

/** True when no filter is given. */
export function isOpen(flags: FilterFlags): boolean {
  return Object.values(filterOf(flags)).every((value) => value === undefined)
}
