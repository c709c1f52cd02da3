import { join } from 'node:path'
import t, { type Test } from 'tap'

import { readConfigFile } from '../../src/options/config-file.ts'
import { readConfig } from '../../src/options/environment.ts'
import { loadSourceOf } from '../../src/options/source-by-name.ts'
import { createServer } from '../../src/server/server.ts'
import { makeFolder } from '../folder.ts'
import { runCli } from '../processes.ts'
import { cliHere } from './rig.ts'

// Risk: no events of Stripe, GitHub and the other sources on the user's machine, signed with the right secret.

const config = `
import { defineConfig } from 'riverhook'
import { github, hmacSource, meta, standardWebhooks, stripe, zoom } from 'riverhook/sources'
export default defineConfig({ inbox: 'memory:', logLevel: 'silent', endpoints: [
  { secrets: 'whk_river' },
  { source: stripe(), secrets: ['whsec_stripe', 'whsec_older'] },
  { source: github(), secrets: async () => 'hub' },
  { source: standardWebhooks({ name: 'payments' }), secrets: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
  { source: hmacSource({ name: 'own', header: 'x-signature', id: 'digest', type: (body) => body.kind }), secrets: 'own' },
  { source: zoom(), secrets: 'zoom' },
  { source: meta(), secrets: 'meta' }
] })
`

/** A server with the config, and the command line for it. */
async function start(t: Test, files: Readonly<Record<string, string>> = {}) {
  const folder = makeFolder(t, { 'riverhook.config.js': config, ...files })
  const path = join(folder, 'riverhook.config.js')
  const app = await createServer(readConfig({}, await readConfigFile({ RIVERHOOK_CONFIG: path })))
  t.teardown(() => app.close())
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const env = { RIVERHOOK_CONFIG: path, RIVERHOOK_PORT: new URL(origin).port }
  return { app, folder, origin, env, cli: (...args: string[]) => cliHere(args, env) }
}

t.test('trigger: a sample of each source goes to its endpoint, with its secret', async (t) => {
  const { app, cli } = await start(t)
  const cases: readonly (readonly [type: string, source: string, realm: string])[] = [
    ['order.accepted', 'digital-river', 'digital-river'],
    ['invoice.paid', 'stripe', 'stripe'],
    ['issues.opened', 'GitHub', 'github'],
    ['user.created', 'payments', 'payments']
  ]
  for (const [type, source, realm] of cases) {
    const sent = await cli('trigger', type, '--source', source, '--set', 'issue.number=7')
    t.equal(sent.code, 0, sent.stderr)
    t.equal(sent.stderr, '', 'the endpoint was named')
    t.match(sent.stdout, new RegExp(`^202 {2}${type} .*"status":"accepted"`))
    const [stored] = (await app.riverhook.inbox.events({ realm, limit: 1 })).events
    t.equal(stored?.type, type, 'the event has the requested type')
  }
  t.match(
    (await cli('trigger', 'order.accepted')).stderr,
    /^Using the endpoint \/\S+, the first of \d; --endpoint or --source /
  )
  const twice = await cli('trigger', 'push', '--source', 'github', '--seed', '1', '--count', '2')
  t.match(twice.stdout, /accepted[^]*accepted/)
  t.match((await cli('trigger', 'push', '--source', 'github', '--seed', '1')).stdout, /duplicate/)
  t.match((await cli('trigger', 'push', '--source', 'github', '--secret', 'x')).stdout, /^401 /)
  const printed = await cli('trigger', 'issues.opened', '--source', 'github', '--set', 'issue.number=7', '--print')
  t.same(JSON.parse(printed.stdout), { action: 'opened', issue: { number: 7 } })
})

t.test(
  'trigger: prints the id under which the event is stored, also where the source makes it of the body',
  async (t) => {
    const { app, cli } = await start(t)
    const types = { stripe: 'invoice.paid', zoom: 'meeting.started', meta: 'page.feed' }
    for (const [realm, type] of Object.entries(types)) {
      const { stdout, stderr } = await cli('trigger', type, '--source', realm)
      const id = stdout.split('  ')[2]?.trim() ?? ''
      t.ok(await app.riverhook.inbox.event({ realm, id }), `${stdout}${stderr}`)
    }
  }
)

t.test('send: the id and the type where they are headers, and the secret of the endpoint of the URL', async (t) => {
  const { cli, folder, origin } = await start(t, { 'body.json': '{"type":"user.created","id":"evt_1"}' })
  const file = join(folder, 'body.json')
  const payments = `${origin}/webhooks/payments`
  for (const status of ['accepted', 'duplicate'])
    t.match((await cli('send', file, '--url', payments, '--id', 'msg_1')).stdout, `{"id":"msg_1","status":"${status}"}`)
  t.match((await cli('send', file, '--source', 'github', '--id', 'd1', '--type', 'push')).stdout, /202[^]*"id":"d1"/)
  t.match((await cli('send', file, '--endpoint', '/webhooks/stripe')).stdout, /202[^]*"id":"evt_1"/)
  t.match((await cli('send', file, '--url', `${origin}/elsewhere`, '--secret', 'x')).stdout, /^404 /)

  const wrong: readonly (readonly [flags: readonly string[], message: RegExp])[] = [
    [
      ['--source', 'stripe', '--id', 'evt_2'],
      /^riverhook: --id has no effect: an event of stripe has its id in the body$/
    ],
    [
      ['--source', 'strip'],
      /^riverhook: --source strip must be one of digital-river, stripe, github, payments, .*stripe"\?/
    ],
    [
      ['--endpoint', '/x'],
      /^riverhook: --endpoint \/x: no endpoint of the configuration has this path; they have .*stripe/
    ],
    [
      ['--url', `${origin}/x`],
      /^riverhook: No endpoint of the configuration has the path of .*Name one with --endpoint/
    ],
    [['--url', 'x'], /^riverhook: --url x is not a URL$/]
  ]
  for (const [flags, message] of wrong) {
    const { code, stderr } = await cli('send', file, ...flags)
    t.equal(code, 2)
    t.match(stderr.trim(), message)
  }
})

t.test('with variables only: RIVERHOOK_SOURCE applies to the server and to the commands', async (t) => {
  const variables = { RIVERHOOK_SOURCE: 'stripe', RIVERHOOK_SECRETS: 'whsec_a', RIVERHOOK_INBOX: 'memory:' }
  const environment = { ...variables, RIVERHOOK_LOG_LEVEL: 'silent' }
  const app = await createServer(readConfig(environment, undefined, await loadSourceOf(environment)))
  t.teardown(() => app.close())
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const { stdout, stderr } = await cliHere(['trigger', 'invoice.paid'], { ...variables, RIVERHOOK_PORT: port })
  t.match(stdout, /^202 {2}invoice\.paid/, stderr)
  t.match(await cliHere(['events', 'list'], { RIVERHOOK_SOURCE: 'stripes' }), {
    code: 1,
    stderr: /^riverhook: RIVERHOOK_SOURCE must be one of .*did you mean "stripe"\?/
  })
})

t.test('a source without samples, and one without a list of types, are reported', async (t) => {
  const { cli } = await start(t)
  t.match(await cli('trigger', 'delivered', '--source', 'own'), {
    code: 2,
    stderr: /^riverhook: The source own makes no sample events\. .* run: riverhook send FILE --source own/
  })
  t.match(await cli('trigger', 'Notification', '--source', 'sns', '--endpoint', '/webhooks/own'), {
    code: 2,
    stderr: /^riverhook: The source sns cannot sign.* Have it send a test event, or test the handlers with/
  })
  t.match((await cli('trigger', 'Notification', '--source', 'sns', '--print')).stdout, /^\{"Type":"Notification"/)
  t.match(await cli('event-types', '--source', 'payments'), {
    code: 0,
    stdout: '',
    stderr: /^Riverhook has no list of the event types of payments: every type is accepted/
  })
  t.match(
    (await cli('event-types', 'del*', '--source', 'sendgrid')).stderr,
    /^riverhook: No event type "del\*" is known/
  )
  t.match(
    (await cli('event-types', '--source', 'sendgrid')).stdout,
    /^[^]*delivered\n[^]*\d+ event types of sendgrid\.\n$/
  )
  t.match((await cli('event-types', 'delivered', '--source', 'sendgrid', '--json')).stdout, '{"type":"delivered"}\n')
})

t.test('simulate: each source rehearses what it can have, and says what it cannot', async (t) => {
  const { app, cli } = await start(t)
  const simulate = (...args: string[]) => cli('simulate', '--rate', '1000', '--retry-after', '10ms', ...args)
  const cases: readonly (readonly [source: string, skipped: readonly string[]])[] = [
    ['stripe', []],
    ['github', ['stale-timestamp', 'wrong-mode']],
    ['payments', ['wrong-mode']]
  ]
  for (const [source, skipped] of cases) {
    const { code, stdout, stderr } = await simulate('--source', source, '--scenario', 'all', '--count', '14')
    t.equal(code, 0, stdout + stderr)
    t.same(
      [...stdout.matchAll(/^skipped: (\S+), because /gm)].map(([, name]) => name),
      skipped
    )
    t.match(stdout, /401 {2}.*wrong-secret[^]*\n14 events: 14 sent in \d+ requests, 14 acknowledged\.\n$/)
    t.equal((await app.riverhook.inbox.events({ realm: source, limit: 100 })).events.length, 14)
  }
  const one = await simulate('--endpoint', '/webhooks/github', '--type', 'issues.opened', '--count', '1')
  t.match(one.stdout, /202 {2}issues\.opened/)
  const lost = await simulate('--source', 'github', '--secret', 'x', '--count', '1')
  t.match(lost, { code: 1, stdout: /1 sent in 4 requests, 0 acknowledged/ })

  const wrong: readonly (readonly [flags: readonly string[], message: RegExp])[] = [
    [['github', '--scenario', 'stale-timestamp'], /: --scenario stale-timestamp is impossible: github signs no time$/],
    [['github', '--live'], /: --live has no effect: an event of github does not say whether it is test or live$/],
    [['stripe', '--port', '1'], /: --port has no effect: the API of stripe is not simulated$/],
    [['stripe', '--type', 'invoice.*'], /: --type invoice\.\*: Riverhook has no list .* of stripe, so name one type$/],
    [
      ['paddle', '--type', 'adress.created', '--secret', 'x'],
      /: --type adress.created: no event type of that name is known; did you mean/
    ],
    [
      ['sns', '--secret', 'x'],
      /: The source sns cannot sign: only the provider can send its events\. Have it send a test event/
    ],
    [['shopify', '--address', 'http://127.0.0.1:9/x'], /: No endpoint of the configuration has the path of /]
  ]
  for (const [[source = '', ...flags], message] of wrong) {
    const { code, stderr } = await simulate('--source', source, ...flags)
    t.equal(code, 2)
    t.match(stderr.trim(), message)
  }
})

t.test('dev: the endpoint of the configuration, with its source and path', async (t) => {
  const own = `
import { github } from 'riverhook/sources'
export default { endpoints: [{ path: '/hooks/code', source: github(), secrets: 'of-the-configuration' }] }
`
  const cwd = makeFolder(t, { 'riverhook.config.js': own })
  const { code, stdout, stderr } = await runCli(['dev', '--once', '--port', '0'], { cwd })
  t.equal(code, 0, stdout + stderr)
  t.match(stdout, /^Listening on http:\S+\/hooks\/code\n[^]*github +simulated\n[^]*\n6 of 6 steps as expected\n$/)
  t.notMatch(stdout, /of-the-configuration/)
  t.match(await cliHere(['dev', '--show', '--source', 'sns']), { code: 2, stderr: /The source sns cannot sign/ })
})
