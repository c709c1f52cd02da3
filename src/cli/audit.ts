import { Command } from 'commander'

import type { AuditEntry, Inbox } from '../index.ts'
import { limitOf } from './events/filter.ts'
import { inboxOption, instantOf, type WithInbox } from './inbox.ts'
import { print, printJson } from './output.ts'
import { counted, cut, printTable, time } from './print.ts'

interface Flags {
  readonly inbox: string
  readonly limit: number
  readonly since?: string
  readonly json?: true
}

export function auditCommand(withInbox: WithInbox): Command {
  return new Command('audit')
    .description("list who changed what, and when: by a command, in the operator's API, or in code; newest first")
    .option('--limit <count>', 'at most this many', limitOf(100_000), 20)
    .option('--since <time>', 'done at or after: 24h, or an instant')
    .option('--json', 'one JSON object per line, one for each transaction')
    .addOption(inboxOption())
    .action(({ inbox: address, limit, since: given, json }: Flags) => {
      const since = instantOf('--since', given)
      return withInbox(address, async (inbox) => {
        if (json === true) {
          let left = limit
          for await (const entry of entriesIn(inbox, since)) {
            printJson(entry)
            left -= 1
            if (left === 0) break
          }
          return
        }
        const acts: Shown[] = []
        for await (const act of mergeBatches(entriesIn(inbox, since))) {
          acts.push(act)
          if (acts.length === limit) break
        }
        if (acts.length === 0)
          print(
            since === undefined
              ? 'No person or program has changed anything yet.'
              : 'No person or program has changed anything since then.'
          )
        else show(acts)
      })
    })
}

const pageSize = 200

async function* entriesIn(inbox: Inbox, since: Date | undefined): AsyncGenerator<AuditEntry> {
  let after: number | undefined
  do {
    const page = await inbox.audits({ limit: pageSize, after, since })
    yield* page.entries
    after = page.next
  } while (after !== undefined)
}

/** An act, with all its batches. */
interface Shown extends AuditEntry {
  readonly batches: number
}

/** Merges the entries of an act that took several transactions. Leaves out that it began, unless nothing followed. */
async function* mergeBatches(entries: AsyncIterable<AuditEntry>): AsyncGenerator<Shown> {
  let act: Shown | undefined
  for await (const entry of entries) {
    if (act !== undefined && isSameAct(act, entry)) {
      if (entry.outcome === 'begun') continue
      act = { ...act, count: act.count + entry.count, batches: act.batches + 1 }
    } else {
      if (act !== undefined) yield act
      act = { ...entry, batches: 1 }
    }
  }
  if (act !== undefined) yield act
}

function isSameAct(one: AuditEntry, other: AuditEntry): boolean {
  const { requestId, action, target } = other
  return requestId !== undefined && one.requestId === requestId && one.action === action && one.target === target
}

/** A longer name, such as that of a cloud's machine, would leave no room for the rest. */
const longestActor = 16

function show(acts: readonly Shown[]): void {
  printTable(
    ['when', 'who', 'via', 'what', 'count', 'target'],
    acts.map(({ at, actor, via, action, count, target, outcome, batches }) => [
      time(at),
      cut(actor, longestActor),
      via,
      action,
      String(count),
      `${target} (${batches === 1 ? outcome : counted(batches, 'batch', 'batches')})`
    ])
  )
}
