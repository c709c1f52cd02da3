import t from 'tap'

import { Registry } from '../../../src/handlers/registry.ts'
import { createRiverhook } from '../../../src/index.ts'
import { planWebhook, syncWebhook, type RegistrationSettings } from '../../../src/manage/registration/registration.ts'
import { github } from '../../../src/sources.ts'
import { githubToken, startGithub } from './github-server.ts'

// Risk: a webhook that GitHub does not have as the handlers need it, or with another secret than the endpoint.

const address = 'https://shop.example/github'
const source = github({ owner: 'octo/shop' })

function settingsFor(url: string, patterns: readonly string[], more: Partial<RegistrationSettings> = {}) {
  const registry = new Registry('github')
  for (const pattern of patterns) registry.on(pattern, () => undefined)
  const secret = async (): Promise<string> => 'the-secret'
  return { address, handlers: registry, source, apiKey: githubToken, apiUrl: url, secret, ...more }
}

t.test('sync creates the webhook with the secret, subscribes to whole events, and then changes nothing', async (t) => {
  const { url, hooks } = await startGithub(t)
  const patterns = ['issues.opened', 'issues.closed', 'pull_request.*', 'push']
  const plan = await planWebhook(settingsFor(url, patterns))
  t.notMatch(JSON.stringify(plan.lines), /the-secret/)
  const { result, webhook } = await syncWebhook(settingsFor(url, patterns))
  t.equal(result, 'created')
  t.notOk(webhook.secret === 'the-secret')
  t.match(hooks, [
    {
      active: true,
      events: ['issues', 'pull_request', 'push'],
      config: { url: address, content_type: 'json', insecure_ssl: '0', secret: 'the-secret' }
    }
  ])
  t.equal((await syncWebhook(settingsFor(url, patterns))).result, 'unchanged')
  t.same((await planWebhook(settingsFor(url, ['*']))).changes, { types: ['*'] })
})

t.test('a webhook that was changed is restored, and keeps its secret', async (t) => {
  const { url, hooks } = await startGithub(t)
  await syncWebhook(settingsFor(url, ['push']))
  hooks[0]!.active = false
  hooks[0]!.events = ['release']
  t.equal((await syncWebhook(settingsFor(url, ['push']))).result, 'updated')
  t.match(hooks, [{ active: true, events: ['push'], config: { secret: 'the-secret' } }])
  hooks[0]!.config = { url: address, content_type: 'json', insecure_ssl: '0' }
  const plan = await planWebhook(settingsFor(url, ['push']))
  t.same(
    plan.lines.map(({ sign, field, text }) => `${sign} ${field} ${text}`),
    ['~ secret (not shown)'],
    'a webhook without a secret signs nothing'
  )
  await syncWebhook(settingsFor(url, ['push']))
  t.match(hooks, [{ config: { url: address, secret: 'the-secret' } }])
})

t.test('with many webhooks, all pages are read, and others are not touched', async (t) => {
  const { url, hooks } = await startGithub(t)
  const config = (index: number) => ({ url: `https://other.example/${index}`, content_type: 'json' })
  for (let index = 0; index < 130; index += 1)
    hooks.push({
      id: index + 1_000,
      type: 'Repository',
      name: 'web',
      active: true,
      events: ['push'],
      config: config(index),
      created_at: '2020-01-01T00:00:00Z'
    })
  hooks[120]!.config.url = address
  t.equal((await syncWebhook(settingsFor(url, ['push']))).result, 'updated', 'its secret is set')
  t.equal(hooks.length, 130)
})

t.test('an organisation; a missing token or owner; features that GitHub lacks', async (t) => {
  const { url, hooks } = await startGithub(t, '/orgs/octo/hooks')
  await syncWebhook(settingsFor(url, ['push'], { source: github({ owner: 'octo' }) }))
  t.equal(hooks.length, 1)
  for (const owner of ['', 'a/b/c', '../x', 'a b'])
    t.throws(() => github(owner === '' ? {} : { owner }).api?.({ apiKey: githubToken }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /GITHUB_REPOSITORY/
    })
  await t.rejects(syncWebhook(settingsFor(url, ['push'], { apiKey: undefined })), { message: /GITHUB_TOKEN/ })
  await t.rejects(syncWebhook(settingsFor(url, ['push'], { apiKey: 'wrong' })), {
    code: 'RIVERHOOK_API_REFUSED',
    message: /Bad credentials/
  })
  await t.rejects(syncWebhook(settingsFor(url, ['push'], { apiVersion: '2021-12-13' })), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /apiVersion/
  })
  t.throws(
    () =>
      createRiverhook({
        inbox: 'memory:',
        endpoints: [{ source, secrets: 'a', backfill: { apiKey: githubToken, apiUrl: url } }]
      }),
    { code: 'RIVERHOOK_OPTIONS_INVALID', message: /github lists no past events/ }
  )
})

t.test(
  'a rate limit that is a 403 is no missing permission: what passes soon is awaited, else it says when',
  async (t) => {
    const { url, hooks, calls, refusals } = await startGithub(t)
    const body = { message: 'You have exceeded a secondary rate limit' }
    refusals.push({ status: 403, headers: { 'retry-after': '0' }, body })
    t.equal((await syncWebhook(settingsFor(url, ['push']))).result, 'created')
    t.same(
      calls.slice(0, 3).map(({ method }) => method),
      ['GET', 'GET', 'POST'],
      'the list was asked for again'
    )
    refusals.push({ status: 403, headers: { 'retry-after': '3600' }, body })
    await t.rejects(syncWebhook(settingsFor(url, ['push'])), {
      code: 'RIVERHOOK_API_REFUSED',
      retryAfterMs: 3_600_000,
      message: /403: You have exceeded .* rate limit of this key is reached.*Retry-After: 3600/
    })
    // The limit per hour names the second in which it ends.
    const reset = String(Math.ceil(Date.now() / 1_000) + 1_800)
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }
    refusals.push({ status: 403, headers, body: { message: 'API rate limit exceeded' } })
    const failure = await syncWebhook(settingsFor(url, ['push'])).catch((error: unknown) => error)
    t.match(failure, { message: /rate limit of this key is reached/ })
    const { retryAfterMs = 0 } = failure as { retryAfterMs?: number }
    t.ok(retryAfterMs > 1_700_000 && retryAfterMs <= 1_801_000, String(retryAfterMs))
    refusals.push({ status: 403, headers: { 'x-ratelimit-remaining': '4999' }, body: { message: 'Must have admin' } })
    await t.rejects(syncWebhook(settingsFor(url, ['push'])), { message: /The key lacks a permission/ })
    t.equal(hooks.length, 1)
  }
)
