import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

import { openInbox } from '../../src/index.ts'
import { realm, source } from '../event-keys.ts'
import { makeFolder } from '../folder.ts'
import { arrival, quarantined, someMismatch } from '../inbox/arrivals.ts'
import { cliHere, start } from './rig.ts'

// Risk: at three in the morning, a page whose commands, calls and views do not exist.

const page = readFileSync(new URL('../../docs/operate.md', import.meta.url), 'utf8')
const rows = [...page.matchAll(/^\| \[(.*?)\]\(.*?\) \| `(.*?)` \| `?(.*?)`? \| (.*?) \|$/gm)]
const commands = new Set([
  ...rows.map(([, , command = '']) => command),
  ...[...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, lines = '']) => lines.trim().split('\n'))
])

const handlers = `
import { defineHandler } from 'riverhook'
export default ['erp', 'mail'].map((name) => defineHandler('order.*', { name }, () => undefined))
`

t.test('each command works', async (t) => {
  const { env: api } = await start(t)
  const folder = makeFolder(t, { handlers: { 'all.js': handlers } })
  const env = {
    ...api,
    RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`,
    RIVERHOOK_HANDLERS: join(folder, 'handlers'),
    RIVERHOOK_SECRETS: 'whk_a',
    RIVERHOOK_REGISTER_ADDRESS: 'https://shop.example/hook'
  }
  const inbox = openInbox(env.RIVERHOOK_INBOX)
  await inbox.open()
  await inbox.adopt(['erp', 'mail'].map((name) => ({ name, source, pattern: 'order.*' })))
  await inbox.record([arrival('e1', ['erp', 'mail'], { about: ['order-4711'] }), quarantined('q1')])
  const wants = ['erp', 'mail'].map((handler) => ({ handler, source, limit: 9 }))
  const { deliveries } = await inbox.claim({ owner: 'test', leaseMs: 10_000, wants, limit: 9 })
  const [startedAt, endedAt] = [new Date(), new Date()]
  await inbox.settle(
    deliveries.map(({ id, token, handler }) => {
      const outcome =
        handler === 'erp' ? ({ state: 'dead', error: 'ERP answered 503' } as const) : ({ state: 'done' } as const)
      return { id, token, outcome, startedAt, endedAt }
    })
  )
  await inbox.flag([{ realm, ...someMismatch, type: 'order.accepted', path: 'data.object.state' }])
  await inbox.close()
  const synced = await cliHere(['webhooks', 'sync', '--yes'], env)
  t.equal(synced.code, 0, synced.stderr)
  t.ok(commands.size > 12)
  for (const command of commands) {
    const [name, ...args] = wordsOf(command)
    t.equal(name, 'riverhook')
    const { code, stderr } = await cliHere(args, env)
    t.equal(code, 0, `${command}: ${stderr}`)
  }
})

t.test('each call is a route of the API', (t) => {
  const api = JSON.parse(readFileSync(new URL('../../src/admin/openapi.json', import.meta.url), 'utf8')) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  }
  t.equal(rows.length, 14)
  for (const [, , , call = ''] of rows) {
    if (call === 'none') continue
    const [method = '', path = ''] = call.replace(/\?.*/, '').split(' ')
    t.ok(api.paths[`/${path}`]?.[method.toLowerCase()], call)
  }
  t.end()
})

t.test('each question has its section, and each view is one of the page', (t) => {
  const views = readFileSync(new URL('../../src/page/views.ts', import.meta.url), 'utf8')
  for (const [, question = '', , , view = ''] of rows) {
    t.ok(page.includes(`\n## ${question}\n`), question)
    if (view !== 'none') t.ok(views.includes(`'${view}'`), view)
  }
  t.end()
})

/** The words of a shell command, without a file that it writes to. A text in single quotes is one word. */
function wordsOf(command: string): string[] {
  return Array.from(command.replace(/ > \S+$/, '').matchAll(/'([^']*)'|\S+/g), ([word, quoted]) => quoted ?? word)
}

// Risk: a person who has the event, and searches for its trace by hand.
t.test('an event shows its trace, as a link if there is a template', async (t) => {
  const env = { RIVERHOOK_INBOX: `sqlite:${join(makeFolder(t), 'inbox.db')}` }
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const inbox = openInbox(env.RIVERHOOK_INBOX)
  await inbox.open()
  await inbox.record([arrival('e1', [], { trace: `00-${traceId}-b7ad6b7169203331-01` }), arrival('e2')])
  await inbox.close()
  const linked = { ...env, RIVERHOOK_TRACE_URL: 'https://traces.example/{traceId}' }
  const traceUrl = `https://traces.example/${traceId}`
  const show = async (given: Readonly<Record<string, string>>, ...args: string[]) =>
    (await cliHere(['events', 'show', ...args], given)).stdout
  t.match(await show(env, 'e1'), `trace         ${traceId}\n`)
  t.match(await show(linked, 'e1'), `trace         ${traceUrl}\n`)
  t.match(JSON.parse(await show(linked, 'e1', '--json')), { traceId, traceUrl })
  t.notMatch(await show(linked, 'e2'), 'trace')
  const wrong = { ...env, RIVERHOOK_TRACE_URL: 'javascript:{traceId}' }
  t.match(
    (await cliHere(['events', 'show', 'e1'], wrong)).stderr,
    /RIVERHOOK_TRACE_URL must be an http or https URL with/
  )
})
