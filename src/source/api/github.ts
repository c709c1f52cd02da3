import { RiverhookError } from '../../model/errors.ts'
import type { Call, Connection } from '../http/connection.ts'
import { openConnection } from '../http/open-connection.ts'
import type { ApiOptions, Registration, RegistrationRules, SourceApi } from '../source.ts'

/** GitHub takes the secret from us. It sends whole events, such as `issues`, whatever their action. */
export const githubRegistration: RegistrationRules = {
  fieldsOf({ apiVersion, basicAuth, oauth, secret }) {
    const unknown = Object.entries({ apiVersion, basicAuth, oauth }).find(([, value]) => value !== undefined)
    if (unknown !== undefined)
      throw invalid(`A webhook of GitHub has no "${unknown[0]}": leave it out, and set secrets`)
    return secret === undefined ? {} : { secret }
  },
  requestedType: (type) => type.split('.', 1)[0] ?? type,
  everyType: '*'
}

const pageSize = 100
/** More would be an endless list: a repository has at most 20 webhooks for each event. */
const mostPages = 50

interface Hook extends Registration {
  readonly secret: string | undefined
}

/**
 * The part of GitHub's API that registration needs. GitHub lists no past events, so there is no backfill.
 *
 * Facts: https://docs.github.com/en/rest/repos/webhooks and https://docs.github.com/en/rest/orgs/webhooks
 * @param owner a repository `OWNER/NAME` or an organisation. Default: the variable `GITHUB_REPOSITORY`
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID if there is no token or no owner
 */
export function githubApi(options: ApiOptions = {}, owner = process.env['GITHUB_REPOSITORY']): SourceApi {
  const { connection } = openConnection(options, {
    variable: 'GITHUB_TOKEN',
    description: 'a token that may write the webhooks of the repository or the organisation',
    url: 'https://api.github.com',
    headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' }
  })
  const root = rootOf(owner)
  const one = async (call: Call): Promise<Hook> =>
    readHook(await connection.json(call)) ?? fail(connection, call, 'with something that is not a webhook')
  return {
    mode: undefined,
    webhooks: {
      list: () => Array.fromAsync(hooks(connection, root)),
      create: ({ address, types, enabled = true, ...own }) =>
        one({
          method: 'POST',
          path: root,
          body: { name: 'web', active: enabled, events: types, config: configOf({ address, ...own }) },
          ...secretsIn(own)
        }),
      async update(id, { address, types, enabled, ...own }) {
        const path = `${root}/${encodeURIComponent(id)}`
        // Changing `config` together with the rest would remove a secret that is not sent again.
        if (address !== undefined || 'secret' in own)
          await connection.json({
            method: 'PATCH',
            path: `${path}/config`,
            body: configOf({ address, ...own }),
            ...secretsIn(own)
          })
        return one({
          method: 'PATCH',
          path,
          body: {
            ...(types === undefined ? {} : { events: types }),
            ...(enabled === undefined ? {} : { active: enabled })
          }
        })
      },
      delete: (id) => connection.delete(`${root}/${encodeURIComponent(id)}`)
    }
  }
}

async function* hooks(connection: Connection, path: string): AsyncGenerator<Hook> {
  for (let page = 1; page <= mostPages; page += 1) {
    const call: Call = {
      method: 'GET',
      path,
      query: [
        ['per_page', String(pageSize)],
        ['page', String(page)]
      ]
    }
    const answer = await connection.json(call)
    if (!Array.isArray(answer)) fail(connection, call, 'with something that is not a list')
    const list = answer as readonly unknown[]
    for (const each of list) yield readHook(each) ?? fail(connection, call, 'with a webhook without an id')
    if (list.length < pageSize) return
  }
  fail(connection, { method: 'GET', path }, `with more than ${mostPages} pages`)
}

function configOf({ address, secret }: { readonly address?: string | undefined; readonly secret?: unknown }): object {
  return {
    content_type: 'json',
    insecure_ssl: '0',
    ...(address === undefined ? {} : { url: address }),
    ...(typeof secret === 'string' ? { secret } : {})
  }
}

/** The texts that no error may quote. */
function secretsIn({ secret }: { readonly secret?: unknown }): Pick<Call, 'secrets'> {
  return typeof secret === 'string' ? { secrets: [secret] } : {}
}

function rootOf(owner: string | undefined): string {
  const [name, repository, ...more] = owner?.split('/') ?? []
  const isName = (text: string | undefined): boolean => text === undefined || /^(?!\.+$)[\w.-]+$/.test(text)
  if (name === undefined || name === '' || more.length > 0 || !isName(name) || !isName(repository))
    throw invalid(
      "Say whose webhooks are meant: github({ owner: 'OWNER/REPOSITORY' }), an organisation, or the variable GITHUB_REPOSITORY"
    )
  return repository === undefined ? `/orgs/${name}/hooks` : `/repos/${name}/${repository}/hooks`
}

/** Undefined: it is no webhook. */
function readHook(value: unknown): Hook | undefined {
  if (!isObject(value) || typeof value['id'] !== 'number') return undefined
  const { id, events, active, config, created_at: createdTime } = value
  const { url, secret } = isObject(config) ? config : {}
  return {
    id: String(id),
    // Some webhooks, such as those of an old integration, have no URL.
    address: typeof url === 'string' ? url : '',
    types: Array.isArray(events) ? events.filter((type) => typeof type === 'string') : [],
    enabled: active === true,
    ...(typeof createdTime === 'string' ? { createdTime } : {}),
    secret: typeof secret === 'string' ? secret : undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fail(connection: Connection, call: Call, what: string): never {
  throw connection.unreadable(call, what)
}

function invalid(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', message)
}
