import { existsSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

import { openInbox } from '../../../src/index.ts'
import { createProgram } from '../../../src/cli/program.ts'
import { makeFolder } from '../../folder.ts'
import { arrival, quarantined } from '../../inbox/arrivals.ts'
import { replayOfAll } from '../../inbox/contract-jobs.ts'
import { cliHere, start } from '../rig.ts'

// Risk: something is changed by a command, and no one can say who did it.

/** Commands that change nothing of the inbox or at the provider. */
const withoutAct = new Set([
  'serve',
  'dev',
  'send',
  'trigger',
  'simulate',
  'complete',
  'completion',
  'stats',
  'alarms list',
  'alarms test',
  'audit',
  'failures',
  'event-types',
  'events list',
  'handlers list',
  'admin token',
  'replays list',
  'replays show',
  'webhooks list',
  'webhooks show',
  'inbox backup',
  'inbox encryption',
  // In reencrypt.test.ts.
  'inbox reencrypt'
])

t.test(
  'every command that changes something has an entry in the audit log, with the user and the machine',
  async (t) => {
    const { river, folder, inbox, env, cli } = await start(t)
    const server = openInbox(inbox)
    await server.open()
    await server.adopt([
      { name: 'ship', source: 'digital-river', pattern: 'order.accepted', ordered: true },
      { name: 'mail', source: 'digital-river', pattern: 'refund.failed' }
    ])
    await server.record([arrival('e1', ['ship']), arrival('e2', ['ship']), quarantined('q1')])
    await server.close()
    const audit = async (address = inbox) =>
      (await cliHere(['audit', '--json', '--inbox', address], env)).stdout
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    const idOf = (text: string): string => /^id +(\S+)/m.exec(text)?.[1] ?? ''
    const address = 'https://user:pass@shop.example/hooks?token=hidden'
    const copy = `sqlite:${join(folder, 'copy.db')}`
    let webhook = ''
    const acts: Readonly<Record<string, () => Promise<{ readonly action: string; readonly in?: string } & object>>> = {
      'handlers pause': async () => {
        await cli('handlers', 'pause', 'ship')
        return { action: 'handler.pause', target: 'ship', count: 1, outcome: 'paused' }
      },
      'handlers resume': async () => {
        await cli('handlers', 'resume', 'ship')
        return { action: 'handler.resume', target: 'ship', count: 1, outcome: 'resumed' }
      },
      'alarms acknowledge': async () => {
        const opened = openInbox(inbox, { role: 'command' })
        await opened.open()
        const { token = 0 } = await opened.holdAlarms({ owner: 'server', leaseMs: 60_000 })
        const reported = { at: 1, step: 1 }
        const entry = { condition: 'dead', subject: 'ship', level: 'warn', text: '', step: 1, since: 1, reported }
        await opened.saveAlarms({ token, leaseMs: 60_000, state: JSON.stringify({ entries: [entry] }) })
        await opened.close()
        await cli('alarms', 'acknowledge', 'dead')
        return { action: 'alarms.acknowledge', target: 'dead ship', count: 1, outcome: '1 acknowledged' }
      },
      'alarms reopen': async () => {
        await cli('alarms', 'reopen', 'dead', 'ship')
        return { action: 'alarms.reopen', target: 'dead ship', count: 1, outcome: '1 reopened' }
      },
      drift: async () => {
        const opened = openInbox(inbox, { role: 'command' })
        await opened.open()
        const kind = { realm: 'digital-river', type: 'order.accepted', rule: 'type', handler: '', eventId: 'e1' }
        const at = new Date()
        await opened.flag(['a', 'b'].map((path) => ({ ...kind, path, count: 1, firstAt: at, lastAt: at })))
        await opened.close()
        t.match((await cli('stats')).stdout, /\n2 kinds of payload mismatches to acknowledge; for a list, run:/)
        await cli('drift', '--path', 'a', '--acknowledge')
        const { stdout } = await cli('drift')
        t.match(stdout, /order\.accepted +b [\s\S]*\n1 acknowledged; to list all, run: riverhook drift --all\n/)
        t.match((await cli('drift', '--all')).stdout, /order\.accepted +a .* 20.{14,}/)
        const target = 'digital-river order.accepted a type'
        t.match((await audit())[0], { action: 'mismatches.acknowledge', target, outcome: '1 acknowledged' })
        await cli('drift', '--reopen')
        return { action: 'mismatches.reopen', target, count: 1, outcome: '1 reopened' }
      },
      'events replay': async () => {
        await cli('events', 'replay', '--state', 'quarantined', '--yes')
        t.match((await audit())[0], { action: 'quarantine.retry', target: 'digital-river q1', count: 0 })
        await cli('events', 'replay', '--about', 'e1@customer.example', '--handler', 'ship', '--yes')
        await cli('events', 'replay', '--handler', 'ship', '--state', 'pending', '--yes')
        return { action: 'events.replay', target: 'state=pending handler=ship', count: 2, outcome: '2 planned' }
      },
      'replays stop': async () => {
        const opened = openInbox(inbox, { role: 'command' })
        await opened.open()
        const { id } = await opened.addJob(replayOfAll)
        await opened.close()
        await cli('replays', 'stop', String(id))
        return { action: 'replay.stop', target: `replay ${id}`, count: 1, outcome: 'stopped' }
      },
      'events show': async () => {
        await cli('events', 'show', 'e1', '--payload')
        await cli('events', 'show', 'e1', '--payload', '--reveal')
        return { action: 'events.reveal', target: 'digital-river e1', count: 1, outcome: 'revealed' }
      },
      'events export': async () => {
        const masked = await cli('events', 'export', '--about', 'e1@customer.example')
        t.match(masked.stderr, 'events exported, with personal data masked.')
        t.match((await audit())[0], { target: 'about=...', outcome: 'sent, masked' })
        const { stdout, stderr } = await cli('events', 'export', '--type', 'order.*', '--reveal')
        t.match(
          stdout
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as unknown),
          [
            { id: 'e1', body: { id: 'e1' } },
            { id: 'e2', body: { id: 'e2' } }
          ]
        )
        t.match(stderr, '2 events exported.')
        return { action: 'events.export', target: 'type=order.*', count: 2, outcome: 'sent, unmasked' }
      },
      'events remove': async () => {
        await cli('events', 'remove', 'e1', '--yes')
        return { action: 'events.remove', target: 'digital-river e1', count: 1, outcome: '1 removed' }
      },
      'events erase': async () => {
        await cli('events', 'erase', 'q1', '--yes')
        return { action: 'events.erase', target: 'digital-river q1', count: 1, outcome: '1 erased' }
      },
      backfill: async () => {
        await cli('backfill', '--since', '24h')
        return { action: 'backfill.run', target: /^\/\S* type=|^\/\S* since=/, count: 0, outcome: '0 recovered' }
      },
      'webhooks create': async () => {
        webhook = idOf((await cli('webhooks', 'create', '--address', address, '--type', 'order.accepted')).stdout)
        return { action: 'registration.create', target: `${webhook} https://shop.example/hooks`, count: 1 }
      },
      'webhooks update': async () => {
        await cli('webhooks', 'update', webhook, '--disable')
        return {
          action: 'registration.update',
          target: `${webhook} https://shop.example/hooks`,
          outcome: 'changed enabled'
        }
      },
      'webhooks delete': async () => {
        await cli('webhooks', 'delete', webhook, '--yes')
        return { action: 'registration.delete', target: `${webhook} https://shop.example/hooks`, outcome: 'deleted' }
      },
      'webhooks sync': async () => {
        await cli('webhooks', 'sync', '--address', address, '--yes')
        return { action: 'registration.sync', target: / https:\/\/shop\.example\/hooks$/, outcome: 'created' }
      },
      'inbox keys': async () => {
        await cli('inbox', 'keys', '--rebuild')
        const [, begun] = await audit()
        t.match(begun, { action: 'keys.rebuild', count: 0, outcome: 'begun' }, 'also if it is ended before its end')
        return { action: 'keys.rebuild', target: 'all events', outcome: /^\d of 1 changed$/ }
      },
      'inbox migrate': async () => {
        await cli('inbox', 'migrate')
        return { action: 'inbox.migrate' }
      },
      'inbox restore': async () => {
        const backup = join(folder, 'backup.db')
        await cli('inbox', 'backup', backup)
        await cli('inbox', 'restore', backup, '--yes')
        return { action: 'inbox.restore', target: backup, count: 2, outcome: '2 restored' }
      },
      'inbox copy': async () => {
        await cli('inbox', 'copy', '--from', inbox, '--to', copy, '--yes')
        return { action: 'inbox.copy', target: `from ${inbox}`, in: copy, count: 2, outcome: '2 of 2 copied' }
      }
    }
    const program = await createProgram()
    const names = program.commands.flatMap((command) =>
      command.commands.length === 0
        ? [command.name()]
        : command.commands.map((each) => `${command.name()} ${each.name()}`)
    )
    t.same(
      names.filter((name) => !withoutAct.has(name) && acts[name] === undefined),
      [],
      'each command is known here: enter its act in the audit log, or name it in `withoutAct`'
    )
    for (const [name, run] of Object.entries(acts)) {
      const { in: address, ...expected } = await run()
      const [entry] = await audit(address)
      t.match(entry, { ...expected, actor: `${userInfo().username}@${hostname()}`, via: 'command' }, name)
    }
    const all = JSON.stringify(await audit())
    for (const secret of ['pass', 'hidden', 'customer.example', river.apiKey]) t.notMatch(all, secret)
  }
)

t.test('the audit log is shown; the batches of one act are one line', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const env = { RIVERHOOK_INBOX: inbox }
  const server = openInbox(inbox)
  await server.open()
  t.teardown(() => server.close())
  t.equal((await cliHere(['audit'], env)).stdout, 'No person or program has changed anything yet.\n')
  const actor = { name: 'ada@ops', via: 'command', requestId: 'run-1' } as const
  await server.pause('erp', { actor, action: 'handler.pause', target: 'erp' })
  for (const count of [200, 200, 12])
    await server.audit({ actor, action: 'events.remove', target: 'state=dead' }, { count, outcome: `${count} removed` })
  for (const outcome of ['begun', '3 of 9 changed'])
    await server.audit({ actor, action: 'keys.rebuild', target: 'all events' }, { count: 3, outcome })
  const { stdout } = await cliHere(['audit'], env)
  t.match(
    stdout,
    /^when +who +via +what +count +target *\n\S+ \S+ +ada@ops +command +keys\.rebuild +3 +all events \(3 of 9 changed\) *\n\S+ \S+ +ada@ops +command +events\.remove +412 +state=dead \(3 batches\) *\n\S+ \S+ +ada@ops +command +handler\.pause +1 +erp \(paused\) *\n$/
  )
  t.match((await cliHere(['audit', '--limit', '1'], env)).stdout.split('\n').length, 3)
  t.equal(
    (await cliHere(['audit', '--since', '2100-01-01'], env)).stdout,
    'No person or program has changed anything since then.\n'
  )
})

t.test('a webhook is changed without an inbox, and a warning says so', async (t) => {
  const { folder, cli } = await start(t)
  const created = await cli('webhooks', 'create', '--address', 'https://shop.example/hooks', '--type', 'order.accepted')
  t.equal(created.code, 0)
  t.match(created.stderr, /^riverhook: warning: done, but not entered in the audit log: .*There is no inbox at/)
  t.notOk(existsSync(join(folder, 'inbox.db')))
})
