import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

import { catalogue, type Event } from '../../src/index.ts'
import { makeFolder } from '../folder.ts'
import { runProcess, startServer } from '../processes.ts'
import { cliHere } from './rig.ts'

// Risk: no sample of an event type to read or to send, without waiting for a customer.

t.test('event-types: a table by pattern, JSON for programs, and the nearest names for a wrong name', async (t) => {
  t.equal((await cliHere(['event-types', 'order.charge.re*'])).code, 2, 'a star stands for whole words')
  const refunds = await cliHere(['event-types', 'order.charge.refund.*'])
  t.match(refunds.stdout, /order\.charge\.refund\.failed +Order +sample +Money of a charge could not be given back/)
  t.match(refunds.stdout, /order\.charge\.refund\.created .*\(withdrawn\)/)
  t.match(refunds.stdout, /5 event types/)
  const all = (await cliHere(['event-types', '--json'])).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string })
  t.same(
    all.map(({ type }) => type),
    Object.keys(catalogue)
  )
  t.match(
    all.find(({ type }) => type === 'order.accepted'),
    { resource: 'Order', basis: 'sample', expandable: true }
  )
  t.same(await cliHere(['event-types', 'order.acepted']), {
    code: 2,
    stdout: '',
    stderr: 'riverhook: No event type "order.acepted" is known; did you mean "order.accepted"?\n'
  })
})

t.test('trigger: signed, accepted, handled; a second event of the same seed is a duplicate', async (t) => {
  const handlers = makeFolder(t, {
    'handlers.js':
      "export default (riverhook) => { riverhook.on('*', (event, { log }) => { log.info({ sum: event.data.object.totalAmount }, event.data.object.id) }) }\n"
  })
  const env = { RIVERHOOK_SECRETS: 'whk_a', RIVERHOOK_HANDLERS: handlers, RIVERHOOK_INBOX: 'memory:' }
  const server = await startServer(env)
  t.teardown(() => server.end('SIGKILL'))
  const trigger = (...args: string[]) =>
    cliHere(['trigger', ...args, '--url', `${server.url}/webhooks/digital-river`], env)

  const sent = await trigger('order.accepted', '--set', 'data.object.id=42', '--set', 'data.object.totalAmount=1.5')
  t.equal(sent.code, 0, sent.stderr)
  t.match(sent.stdout, /^202 {2}order\.accepted {2}[0-9a-f-]{36} {2}\{"id":"[0-9a-f-]{36}","status":"accepted"\}\n$/)
  t.match(await server.line(/"msg":"42"/), /"sum":1.5/)
  t.notOk(
    server.lines.some((line) => /"rule":/.test(line)),
    'a sample causes no drift'
  )

  const statuses = ({ stdout }: { stdout: string }): string[] =>
    [...stdout.matchAll(/"status":"(\w+)"/g)].map(([, status = '']) => status)
  t.same(statuses(await trigger('refund.failed', '--count', '3', '--seed', '7')), ['accepted', 'accepted', 'accepted'])
  t.same(statuses(await trigger('refund.failed', '--count', '4', '--seed', '7')), [
    'duplicate',
    'duplicate',
    'duplicate',
    'accepted'
  ])
  t.same(statuses(await trigger('refund.pending', '--seed', '7')), ['accepted'], 'of the same seed, and another event')

  const forged = await trigger('order.accepted', '--secret', 'whk_b')
  t.equal(forged.code, 1)
  t.match(forged.stdout, /^401 /)
  t.match(statuses(await trigger('order.split', '--new-type')), ['accepted'])
})

t.test('trigger --print: an event for a fixture, with the fields that were set', async (t) => {
  const printed = async (...args: string[]): Promise<Event<string, Record<string, unknown>>> =>
    JSON.parse((await cliHere(['trigger', ...args, '--print'])).stdout) as Event<string, Record<string, unknown>>
  t.same(await printed('plan.updated', '--seed', 'x'), await printed('plan.updated', '--seed', 'x'))
  t.match(
    await printed(
      'order.accepted',
      '--live',
      '--set',
      'data.object.upstreamId=00042',
      '--set',
      'data.object.items.0.quantity=7',
      '--set',
      'data.object.metadata.gift=true',
      '--set',
      'data.object.mine.deep=a=b',
      '--set',
      'webhookIds=["w1"]'
    ),
    {
      liveMode: true,
      webhookIds: ['w1'],
      data: {
        object: {
          liveMode: true,
          upstreamId: '00042',
          items: [{ quantity: 7 }],
          metadata: { gift: true, channel: 'web' },
          mine: { deep: 'a=b' }
        }
      }
    }
  )
})

t.test('a wrong command is reported', async (t) => {
  const cases = [
    [
      ['order.acepted'],
      'No event type "order.acepted" is known; did you mean "order.accepted"? riverhook event-types lists those that are. To send it nevertheless, pass --new-type'
    ],
    [
      ['toString'],
      'No event type "toString" is known. riverhook event-types lists those that are. To send it nevertheless, pass --new-type'
    ],
    [
      ['order.accepted', '--print', '--set', 'data.object.id'],
      '--set data.object.id: write PATH=VALUE, such as data.object.id=o1'
    ],
    [
      ['order.accepted'],
      'No signing secret. Start riverhook dev in this folder, pass --secret-file, or set RIVERHOOK_SECRETS or RIVERHOOK_SECRETS_FILE'
    ]
  ] as const
  for (const [args, reason] of cases)
    t.same(await cliHere(['trigger', ...args]), { code: 2, stdout: '', stderr: `riverhook: ${reason}\n` })
  const { code, stderr } = await cliHere(['trigger', 'order.accepted', '--count', '0'])
  t.equal(code, 2)
  t.match(stderr, /--count <events>.*whole number from 1/)
})

// The functions of the bash-completion package, for a machine that has only the shell.
const words = `
_get_comp_words_by_ref() { cur="\${COMP_WORDS[COMP_CWORD]}"; words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; }
compopt() { :; }
complete_line() { COMP_WORDS=(riverhook "$@"); COMP_CWORD=$#; COMPREPLY=(); __riverhook_complete; printf '%s\\n' "\${COMPREPLY[@]}"; }
`

t.test('completion: commands, flags, event types and sources, in bash', async (t) => {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
  const folder = makeFolder(t)
  writeFileSync(
    join(folder, 'riverhook'),
    `#!/bin/sh\nexec "${process.execPath}" --conditions=riverhook-source "${main}" "$@"\n`
  )
  chmodSync(join(folder, 'riverhook'), 0o755)
  const lines = [
    'trigger order.dis',
    'event-types plan.',
    'events list --type refund.pend',
    'eve',
    'trigger order.accepted --see',
    'send body.json --source st',
    'simulate --source git',
    'event-types --source fast'
  ]
  writeFileSync(
    join(folder, 'try.sh'),
    `${words}source <(riverhook completion bash)\n${lines.map((line) => `echo "> ${line}"\ncomplete_line ${line}\n`).join('')}`
  )
  const { code, stdout } = await runProcess('bash', [join(folder, 'try.sh')], {
    env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` }
  })
  t.equal(code, 0)
  const answers = Object.fromEntries(
    stdout
      .split('> ')
      .slice(1)
      .map((part) => part.trim().split('\n'))
      .map(([line = '', ...found]) => [line, found])
  )
  t.same(answers, {
    'trigger order.dis': ['order.dispute', 'order.dispute.resolved'],
    'event-types plan.': ['plan.created', 'plan.deleted', 'plan.updated'],
    'events list --type refund.pend': ['refund.pending', 'refund.pending_information'],
    eve: ['events', 'event-types'],
    'trigger order.accepted --see': ['--seed'],
    'send body.json --source st': ['stripe', 'standardWebhooks'],
    'simulate --source git': ['github'],
    'event-types --source fast': ['fastSpring']
  })
})

t.test('completion: a script for each of the usual shells', async (t) => {
  for (const shell of ['zsh', 'fish', 'powershell'])
    t.match((await cliHere(['completion', shell])).stdout, /complete '?--/, shell)
  t.equal((await cliHere(['completion', 'tcsh'])).code, 2)
})
