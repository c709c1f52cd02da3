import { RiverhookError, type Inbox } from '../../index.ts'
import { apiOf, errorText, recordedHandlers, syncWebhook } from '../../programs.ts'
import type { ServedEndpoint } from './session.ts'

/** A webhook that this run has created at the provider. */
export interface DevWebhook {
  readonly path: string
  readonly address: string
  /** The secret that the provider shows once. Undefined if it shows none. */
  readonly secret: string | undefined
  /** Deletes it. */
  remove(): Promise<void>
}

/** The result for an endpoint: its webhook, or the reason why there is none. */
export type Registering = { readonly webhook: DevWebhook } | { readonly path: string; readonly reason: string }

/**
 * Registers the endpoints whose provider has an API, at the public address of a tunnel. An endpoint whose key is
 * missing or refused is reported, and served all the same.
 */
export async function registerAll(
  endpoints: readonly ServedEndpoint[],
  { publicUrl, inbox }: { readonly publicUrl: string; readonly inbox: Pick<Inbox, 'handlers'> }
): Promise<readonly Registering[]> {
  const handlers = recordedHandlers(await inbox.handlers())
  return Promise.all(
    endpoints
      .filter(({ source }) => source.api !== undefined)
      .map(async (endpoint): Promise<Registering> => {
        const { path, source, given, secret } = endpoint
        const { apiKey, apiUrl } = { ...given.backfill, ...given.register }
        const address = publicUrl + path
        try {
          const { webhook } = await syncWebhook({
            address,
            handlers: handlers.of(source.name),
            source,
            apiKey,
            apiUrl,
            secret: async () => secret
          })
          const remove = (): Promise<void> => apiOf({ source, apiKey, apiUrl }).webhooks.delete(webhook.id)
          return { webhook: { path, address, secret: webhook.secret, remove } }
        } catch (error) {
          return { path, reason: error instanceof RiverhookError ? error.message : errorText(error) }
        }
      })
  )
}
