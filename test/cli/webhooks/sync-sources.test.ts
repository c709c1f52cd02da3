import t from 'tap'

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
