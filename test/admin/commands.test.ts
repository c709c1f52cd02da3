import { isDeepStrictEqual } from 'node:util'

import t, { type Test } from 'tap'

import { createProgram } from '../../src/cli/program.ts'
import { cliHere } from '../cli/rig.ts'
import { startPostgres } from '../inbox/postgres-server.ts'
import { everything, realm, startFilled, type FilledRig } from './filled-rig.ts'

// Risk: at night, the command and the page say different things, or one engine says what another does not.

/** A command, and the route that gives the same. */
interface Twin {
  readonly args: string
  readonly route: string
  readonly body?: object
  /** The field of the answer whose entries are the lines of the command. Default: the whole answer. */
  readonly lines?: string
  /** The fields that only one of them has, or that change from call to call. */
  readonly except?: readonly string[]
}

const twins: Readonly<Record<string, Twin | string>> = {
  'events list': { args: '--type order.* --state dead', route: 'events?type=order.*&state=dead', lines: 'events' },
  'events replay': {
    args: '--handler erp --state dead --dry-run',
    route: 'replays',
    body: { filter: { handler: 'erp', state: 'dead' }, dryRun: true },
    except: ['plan', 'expiresAt', 'quarantined']
  },
  failures: { args: '--handler erp', route: 'failures?handler=erp' },
  'handlers list': { args: '', route: 'handlers', lines: 'handlers' },
  'replays list': { args: '', route: 'replays', lines: 'replays' },
  'replays show': { args: '1', route: 'replays/1' },
  'replays stop': 'its route is tried in replays.test.ts',
  'alarms list': { args: '', route: 'alarms', lines: 'alarms' },
  'alarms acknowledge': 'it prints no JSON; the route calls the same method',
  'alarms reopen': 'it prints no JSON; the route calls the same method',
  'alarms test': 'it sends a message, and reads no inbox',
  stats: { args: '', route: 'stats', except: ['lastDay'] },
  drift: { args: '', route: 'mismatches', lines: 'mismatches' },
  audit: { args: '', route: 'audit', lines: 'entries' },
  'events show': 'event.test.ts: GET event has the same deliveries; its payload is another part of the answer',
  'events export':
    'event.test.ts: GET export reads the same events with the same function; its payload is another part of the line',
  'events remove': 'it prints no JSON; POST removals finds the same events with the same function',
  'events erase': 'it prints no JSON; POST erasures finds the same events with the same function',
  'handlers pause': 'it prints no JSON; the route calls the same method',
  'handlers resume': 'it prints no JSON; the route calls the same method',
  backfill: 'it needs a provider: backfill.test.ts; the route calls the same method',
  'webhooks list': 'it asks the provider; GET registrations says what the server saw',
  'webhooks show': 'it asks the provider',
  'webhooks create': 'it shows a secret once, which no route does',
  'webhooks update': 'it asks the provider',
  'webhooks delete': 'it asks the provider',
  'webhooks sync': 'it needs a provider; POST registrations/sync calls the same functions',
  'admin token': 'it makes the tokens that the API needs'
}

/** The commands that do not look at, or change, what the inbox holds. */
const others = ['serve', 'dev', 'event-types', 'trigger', 'send', 'simulate', 'inbox', 'completion', 'complete']

t.test('each command has its route, or a reason', async (t) => {
  const program = await createProgram()
  const names = program.commands.flatMap((command) =>
    command.commands.length === 0 || others.includes(command.name())
      ? [command.name()]
      : command.commands.map((each) => `${command.name()} ${each.name()}`)
  )
  t.same(
    names.filter((name) => !(name in twins) && !others.includes(name)),
    []
  )
  t.same(
    Object.keys(twins).filter((name) => !names.includes(name)),
    []
  )
})

const without = (value: unknown, except: readonly string[] = []): unknown =>
  Array.isArray(value) || typeof value !== 'object' || value === null
    ? value
    : Object.fromEntries(Object.entries(value).filter(([name]) => !except.includes(name)))

async function compare(t: Test, rig: FilledRig): Promise<void> {
  const env = { RIVERHOOK_INBOX: rig.address }
  const started = await cliHere(['events', 'replay', 'e3', '--include-done', '--yes'], env)
  t.equal(started.code, 0, started.stderr)
  while ((await rig.inbox.event({ realm, id: 'e3' }))?.deliveries.some(({ state }) => state !== 'done'))
    await new Promise(setImmediate)
  for (const [command, twin] of Object.entries(twins)) {
    if (typeof twin === 'string') continue
    const args = [...command.split(' '), ...twin.args.split(' ').filter((word) => word !== ''), '--json']
    const answer = async (): Promise<unknown> => {
      const { status, body } = await rig.json(twin.route, {
        scopes: everything,
        ...(twin.body === undefined ? {} : { method: 'POST', body: twin.body })
      })
      t.equal(status, 200, `${command}: ${JSON.stringify(body)}`)
      return twin.lines === undefined ? [without(body, twin.except)] : body[twin.lines]
    }
    // The server stores counts a few seconds later: compare with what was the same before and after the command.
    for (let before = await answer(); ; ) {
      const { code, stdout, stderr } = await cliHere(args, env)
      t.equal(code, 0, `${command}: ${stderr}`)
      const after = await answer()
      if (isDeepStrictEqual(before, after)) {
        const lines = stdout.split('\n').filter((line) => line !== '')
        t.same(
          lines.map((line) => without(JSON.parse(line), twin.except)),
          after,
          command
        )
        break
      }
      before = after
    }
  }
}

t.test('a command prints what its route answers, on SQLite', async (t) => compare(t, await startFilled(t)))

t.test('a command prints what its route answers, on PostgreSQL', async (t) => {
  const server = await startPostgres()
  t.teardown(() => server.stop())
  await compare(t, await startFilled(t, await server.createDatabase(t)))
})
