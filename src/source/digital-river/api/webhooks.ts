import { RiverhookError } from '../../../model/errors.ts'
import { isExposed } from '../../../model/option-rules.ts'
import { readSchemas } from '../schemas.ts'
import { DigitalRiverApiError } from './api-error.ts'
import { checker } from './check.ts'
import type { Call, Connection } from '../../http/connection.ts'
import { createWebhook } from './create-webhook.ts'
import { resourcePath } from './resource-path.ts'
import type { Webhook, WebhookChanges, WebhookRequest, WebhooksFilter } from './models.ts'
import { readPage, walkPages, type Page } from './pages.ts'
import { readWebhook } from './read-webhook.ts'
import { isAsked, TypesFilter } from './types-filter.ts'

/**
 * The five operations of `/webhooks`. They reject with a DigitalRiverApiError if the call fails, and with
 * RIVERHOOK_OPTIONS_INVALID, before anything is sent, if an argument is wrong.
 */
export interface DigitalRiverWebhooks {
  /** All webhooks of the account, or those with `type` (may contain `*`) or one of `types` (at most 20). */
  list(filter?: WebhooksFilter): Promise<readonly Webhook[]>
  /** Creates a webhook exactly once: after an error, checks whether it exists before a retry. */
  create(request: WebhookRequest): Promise<Webhook>
  retrieve(id: string): Promise<Webhook>
  /** Changes only the given fields. */
  update(id: string, changes: WebhookChanges): Promise<Webhook>
  delete(id: string): Promise<void>
}

const root = '/webhooks'
/** By the OpenAPI document. */
const mostInAnAnswer = 100
const checkFilter = checker<WebhooksFilter>(() => readSchemas().webhooksFilter, 'The filter of webhooks')
const checkRequest = checker<WebhookRequest>(() => readSchemas().webhookRequest, 'The webhook')
const checkChanges = checker<WebhookChanges>(() => readSchemas().webhookChanges, "The webhook's changes")

/** The operations on a connection. */
export function webhooksOver(connection: Connection): DigitalRiverWebhooks {
  const typesFilter = new TypesFilter()

  /**
   * Paging is not documented here; if there is any, it is assumed to work as for events. If an answer has as many items
   * as the OpenAPI document allows, the next page is requested. The list is complete if that is refused or has nothing
   * new.
   */
  const listWith = async (query: Call['query'] = []): Promise<Page<Webhook>> => {
    const call = { method: 'GET', path: root } as const
    const seen = new Set<string>()
    // Request the next page, although no answer says that there is one.
    let isTried = false
    const fetchPage = async (after: string | undefined) => {
      const answer = await connection
        .json({ ...call, query: after === undefined ? query : [...query, ['startingAfter', after]] })
        .catch((error: unknown) => {
          if (isTried && error instanceof DigitalRiverApiError && error.status === 400) return []
          throw error
        })
      const page = readPage(answer, Infinity, readWebhook)
      if (page === undefined) throw connection.unreadable(call, 'with something that is not a list of webhooks')
      if (page.hasMore) return page
      const isNew = page.data.some(({ id }) => !seen.has(id))
      for (const { id } of page.data) seen.add(id)
      isTried = isNew && page.data.length === mostInAnAnswer
      return { ...page, hasMore: isTried }
    }
    const endless = (why: string) => connection.unreadable(call, `that there are more webhooks, but ${why}`)
    return { data: await Array.fromAsync(walkPages(fetchPage, ({ id }) => id, endless, 1_000)), hasMore: false }
  }

  const one = async (call: Call): Promise<Webhook> => {
    const webhook = readWebhook(await connection.json(call))
    if (webhook === undefined) throw connection.unreadable(call, 'with something that is not a webhook: it has no id')
    return webhook
  }

  return {
    async list(filter = {}) {
      const { type, types = type === undefined ? undefined : [type] } = onlyOne(checkFilter(filter))
      if (types === undefined) return (await listWith()).data
      const { data } = await typesFilter.ask(types, listWith, (webhook) => webhook.types)
      // Until it is known how the provider reads a list of types, only the whole list can be trusted.
      const trusted = types.length === 1 || typesFilter.isProven ? data : (await listWith()).data
      return trusted.filter((webhook) => isAsked(webhook.types, types))
    },
    async create(request) {
      const body = checkTransport(checkRequest(request))
      if (body.transportType === 'OAUTH' && body.oauth === undefined) {
        throw invalid(
          'The webhook: the transport OAUTH needs "oauth", which says where Digital River fetches the bearer token'
        )
      }
      return createWebhook(body, {
        list: async () => (await listWith()).data,
        post: () => one({ method: 'POST', path: root, body, secrets: listSecrets(body) }),
        pause: (attempt) => connection.pause(attempt),
        retries: connection.retries
      })
    },
    async retrieve(id) {
      return one({ method: 'GET', path: resourcePath(root, id) })
    },
    async update(id, changes) {
      const body = checkTransport(checkChanges(changes))
      return one({ method: 'PATCH', path: resourcePath(root, id), body, secrets: listSecrets(body) })
    },
    async delete(id) {
      await connection.delete(resourcePath(root, id))
    }
  }
}

/**
 * `authentication` is allowed only with HTTP, the default of a new webhook, and `oauth` only with OAUTH; neither over
 * plain http.
 */
function checkTransport<Body extends WebhookChanges>(body: Body): Body {
  const { transportType, authentication, oauth } = body
  // A change without a transport keeps it; a new webhook then has HTTP.
  const isNew = body.address !== undefined && body.types !== undefined
  if (authentication !== undefined && oauth !== undefined) {
    throw invalid('The webhook: "authentication" and "oauth" exclude each other')
  }
  if (authentication !== undefined && transportType === 'OAUTH') {
    throw invalid('The webhook: "authentication" is only for the transport HTTP; for OAUTH use "oauth"')
  }
  if ((authentication !== undefined || oauth !== undefined) && body.address !== undefined && isExposed(body.address)) {
    throw invalid('The webhook: with credentials, "address" must be an https URL: over http, others could read them')
  }
  if (oauth !== undefined && isExposed(oauth.tokenEndPoint)) {
    throw invalid(
      'The webhook: "oauth.tokenEndPoint" must be an https URL: over http, others could read the client secret'
    )
  }
  if (oauth !== undefined && (transportType === 'HTTP' || (isNew && transportType === undefined))) {
    throw invalid('The webhook: "oauth" is only for the transport OAUTH; set "transportType" to OAUTH')
  }
  return body
}

function onlyOne(filter: WebhooksFilter): WebhooksFilter {
  if (filter.type !== undefined && filter.types !== undefined) {
    throw invalid('The filter of webhooks: give "type" or "types", not both')
  }
  return filter
}

/** The parts of a body that must not appear in an error; the user names are part of the credentials. */
function listSecrets({ authentication, oauth }: WebhookChanges): string[] {
  const basic = authentication && `${authentication.username}:${authentication.password}`
  const client = oauth && `${oauth.clientID}:${oauth.clientSecret}`
  return [authentication?.password, basic, oauth?.clientSecret, oauth?.password, client].filter(
    (secret) => secret !== undefined
  )
}

function invalid(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', message)
}
