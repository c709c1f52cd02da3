import t from 'tap'

import { sqliteInbox } from '../../../src/index.ts'
import { startGithub, githubToken } from '../../source/api/github-server.ts'
import { startStripe, stripeKey } from '../../source/api/stripe-server.ts'
import { makeFolder } from '../../folder.ts'
import { cliHere } from '../rig.ts'

// Risk: no single command that registers the endpoint at any provider that allows it.

const config = (source: string, url: string, key: string, options = '') => `
import { defineConfig, defineHandler } from 'riverhook'
import { ${source} } from 'riverhook/sources'
const source = ${source}(${options})
export default defineConfig({
  endpoints: [
    { path: '/river', secrets: 'whk_a' },
    {
      path: '/hook',
      source,
      secrets: ['new-secret', 'old-secret'],
      register: { address: 'https://shop.example/hook', apiKey: '${key}', apiUrl: '${url}' }
    }
  ],
  handlers: [defineHandler(source, '*', { name: 'all' }, () => undefined)]
})
`

t.test('Stripe: created with its plan, and the secret is shown once', async (t) => {
  const { url, endpoints } = await startStripe(t)
  const folder = makeFolder(t, { 'riverhook.config.ts': config('stripe', url, stripeKey) })
  const env = { RIVERHOOK_CONFIG: `${folder}/riverhook.config.ts`, RIVERHOOK_INBOX: `sqlite:${folder}/inbox.db` }
  const first = await cliHere(['webhooks', 'sync', '--yes'], env)
  t.equal(first.code, 0, first.stderr)
  t.match(first.stdout, /\+ webhook https:\/\/shop\.example\/hook/)
  t.match(first.stdout, /The webhook we_1 was created\./)
  t.equal(first.stdout.match(/whsec_shown_once/g)?.length, 1)
  t.match(endpoints, [{ enabled_events: ['*'] }])
  t.match((await cliHere(['webhooks', 'sync', '--check'], env)).stdout, /= nothing to do/)
  endpoints.length = 0
  const json = await cliHere(['webhooks', 'sync', '--yes', '--json'], env)
  t.match(JSON.parse(json.stdout), { webhook_id: null, address: 'https://shop.example/hook' })
  t.match(json.stderr, /whsec_shown_once/)
})

t.test('GitHub: it gets the first secret of the endpoint, which no output shows', async (t) => {
  const { url, hooks } = await startGithub(t)
  const folder = makeFolder(t, {
    'riverhook.config.ts': config('github', url, githubToken, "{ owner: 'octo/shop' }")
  })
  const env = { RIVERHOOK_CONFIG: `${folder}/riverhook.config.ts`, RIVERHOOK_INBOX: `sqlite:${folder}/inbox.db` }
  const { code, stdout, stderr } = await cliHere(['webhooks', 'sync', '--endpoint', '/hook', '--yes'], env)
  t.equal(code, 0, stderr)
  t.match(hooks, [{ events: ['*'], config: { secret: 'new-secret' } }])
  t.notMatch(stdout + stderr, /new-secret/)
})

t.test('list, show, create, update and delete go to the provider of the endpoint, with its own key', async (t) => {
  const { url, endpoints } = await startStripe(t)
  const folder = makeFolder(t, { 'riverhook.config.ts': config('stripe', url, stripeKey) })
  const env = { RIVERHOOK_CONFIG: `${folder}/riverhook.config.ts`, DIGITAL_RIVER_API_KEY: '' }
  const webhooks = (...args: string[]) => cliHere(['webhooks', ...args], env)
  t.equal((await webhooks('list')).stdout, 'No webhooks.\n')
  const created = await webhooks('create', '--address', 'https://shop.example/two', '--type', 'invoice.paid')
  t.equal(created.code, 0, created.stderr)
  t.match(created.stdout, /^id +we_1\n[^]*invoice\.paid\n\nIts signing secret, which stripe shows only now: whsec_/)
  t.match((await webhooks('list', '--source', 'stripe')).stdout, /we_1 +https:\/\/shop\.example\/two +yes/)
  t.match((await webhooks('list', '--type', 'invoice.paid')).stdout, /we_1/)
  t.equal((await webhooks('list', '--type', 'invoice.void')).stdout, 'No webhooks.\n')
  t.match((await webhooks('update', 'we_1', '--disable', '--type', '*')).stdout, /enabled +NO[^]*types +\*/)
  t.match(endpoints, [{ enabled_events: ['*'] }])
  t.match(await webhooks('show', 'we_2'), {
    code: 1,
    stderr: 'riverhook: stripe has no webhook with the id we_2\n'
  })
  t.match(await webhooks('delete', 'we_1', '--yes'), { code: 0 })
  t.same(endpoints, [])

  const wrong: readonly (readonly [args: readonly string[], code: number, message: RegExp])[] = [
    [['create', '--address', 'https://x.example', '--type', 'invoice.*'], 2, /: No event type "invoice\.\*" is known/],
    [['create', '--address', 'https://x.example', '--basic-auth', 'u:p'], 1, /Stripe does not authenticate with/],
    [['list', '--source', 'digital-river'], 1, /DIGITAL_RIVER_API_KEY/],
    [['list', '--source', 'github'], 1, /GITHUB_TOKEN/],
    [['list', '--source', 'zoom'], 1, /zoom has no API to register webhooks or list events with/],
    [['sync', '--source', 'github'], 2, /Pass --address URL/],
    [['list', '--endpoint', '/hook', '--source', 'github'], 2, /--endpoint \/hook has the source stripe, not github/]
  ]
  for (const [args, code, message] of wrong) t.match(await webhooks(...args), { code, stderr: message })
})

t.test('backfill --source: the events of that provider, with its key', async (t) => {
  const created = Math.floor(Date.now() / 1000) - 60
  const { url } = await startStripe(t, [{ id: 'evt_1', type: 'invoice.paid', created }])
  const folder = makeFolder(t, { 'riverhook.config.ts': config('stripe', url, stripeKey) })
  const env = { RIVERHOOK_CONFIG: `${folder}/riverhook.config.ts`, RIVERHOOK_INBOX: `sqlite:${folder}/inbox.db` }
  const inbox = sqliteInbox({ path: `${folder}/inbox.db` })
  await inbox.open()
  await inbox.close()
  const { code, stdout, stderr } = await cliHere(['backfill', '--since', '1h', '--source', 'stripe'], env)
  t.equal(code, 0, stderr)
  t.match(stdout, /listed +1 by stripe, [^]*recovered +1/)
  t.match(await cliHere(['backfill', '--since', '1h', '--source', 'github'], env), {
    code: 1,
    stderr: /GITHUB_TOKEN|lists no/
  })
})
