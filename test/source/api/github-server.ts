import type { Test } from 'tap'

import { startApi, type FakeAnswer } from './fake.ts'

interface Hook {
  id: number
  type: 'Repository'
  name: 'web'
  active: boolean
  events: string[]
  config: { url?: string; content_type?: string; insecure_ssl?: string; secret?: string }
  created_at: string
}

interface HookBody {
  readonly name?: string
  readonly active?: boolean
  readonly events?: string[]
  readonly config?: Hook['config']
}

export const githubToken = 'ghp_token'

/**
 * GitHub's webhooks API as its reference describes it: pages by number, and a secret shown as asterisks. An update of
 * the webhook replaces the whole `config`. An update of its configuration merges it.
 */
export async function startGithub(t: Test, root = '/repos/octo/shop/hooks') {
  const hooks: Hook[] = []
  /** Answers that the next calls get. */
  const refusals: FakeAnswer[] = []
  const api = await startApi(t, ({ method, path, query, headers, body }): FakeAnswer => {
    if (headers.authorization !== `Bearer ${githubToken}`) return { status: 401, body: { message: 'Bad credentials' } }
    const refused = refusals.shift()
    if (refused !== undefined) return refused
    if (headers.accept !== 'application/vnd.github+json') return { status: 415, body: { message: 'wrong Accept' } }
    if (!path.startsWith(root)) return { status: 404, body: { message: 'Not Found' } }
    const given = (body === '' ? {} : JSON.parse(body)) as HookBody & Hook['config']
    if (method === 'GET') {
      const size = Number(query.get('per_page') ?? 30)
      const start = (Number(query.get('page') ?? 1) - 1) * size
      return { body: hooks.slice(start, start + size).map(shown) }
    }
    if (method === 'POST') {
      const { active = true, events = ['push'], config = {} } = given
      if (hooks.some((hook) => hook.config.url === config.url))
        return { status: 422, body: { message: 'Validation Failed', errors: [{ message: 'Hook already exists' }] } }
      const hook: Hook = {
        id: 100 + hooks.length,
        type: 'Repository',
        name: 'web',
        active,
        events,
        config,
        created_at: '2026-01-01T00:00:00Z'
      }
      hooks.push(hook)
      return { status: 201, body: shown(hook) }
    }
    const hook = hooks.find(({ id }) => path === `${root}/${id}` || path === `${root}/${id}/config`)
    if (hook === undefined) return { status: 404, body: { message: 'Not Found' } }
    if (method === 'DELETE') {
      hooks.splice(hooks.indexOf(hook), 1)
      return { status: 204 }
    }
    if (path.endsWith('/config')) {
      hook.config = { ...hook.config, ...(given as Hook['config']) }
      return { body: shown(hook).config }
    }
    if (given.config !== undefined) hook.config = given.config
    hook.events = given.events ?? hook.events
    hook.active = given.active ?? hook.active
    return { body: shown(hook) }
  })
  return { ...api, hooks, refusals }
}

function shown(hook: Hook): Hook {
  const { secret, ...config } = hook.config
  return { ...hook, config: secret === undefined ? config : { ...config, secret: '********' } }
}
