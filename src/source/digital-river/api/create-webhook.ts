import { DigitalRiverApiError } from './api-error.ts'
import { isUndecided } from '../../http/connection.ts'
import type { Webhook, WebhookRequest } from './models.ts'

/** The calls that creating a webhook needs. */
export interface CreateSteps {
  /** All webhooks of the account. */
  readonly list: () => Promise<readonly Webhook[]>
  /** One attempt. */
  readonly post: () => Promise<Webhook>
  readonly pause: (attempt: number) => Promise<void>
  readonly retries: number
}

/**
 * Creates a webhook exactly once. The provider has no idempotency key, and two creates make two webhooks that both get
 * every event. So after an attempt whose effect is unknown (no answer, 5xx, an unreadable answer), the webhooks are
 * listed: a new one with this address and these types is ours.
 *
 * The existing webhooks are always listed before the first attempt. That costs one call, but comparing `createdTime`
 * would rely on two clocks.
 * @throws {DigitalRiverApiError}
 */
export async function createWebhook(
  request: WebhookRequest,
  { list, post, pause, retries }: CreateSteps
): Promise<Webhook> {
  const known = new Set((await list()).map(({ id }) => id))
  for (let attempt = 1; ; attempt += 1) {
    const result = await settle(post)
    if (!(result instanceof DigitalRiverApiError)) return result
    const unreadable = result.code === 'RIVERHOOK_API_ANSWER'
    // A conflict with the webhook that the earlier attempt created.
    const conflict = attempt > 1 && result.status === 409
    if (!unreadable && !conflict && !isUndecided(result.status)) throw result

    // The attempt may be taking effect right now.
    await pause(attempt)
    const now = await settle(list)
    if (now instanceof DigitalRiverApiError) {
      // Report the failed create, with the failed list as its cause. Neither contains a secret.
      result.cause = now
      throw result
    }
    const made = now.find((webhook) => !known.has(webhook.id) && isAs(webhook, request))
    if (made !== undefined) return made
    // After a 2xx the webhook exists, even if it is not found. After a conflict a retry would fail the same way.
    if (unreadable || conflict || attempt > retries) throw result
  }
}

async function settle<Value>(step: () => Promise<Value>): Promise<Value | DigitalRiverApiError> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof DigitalRiverApiError) return error
    throw error
  }
}

function isAs(webhook: Webhook, { address, types }: WebhookRequest): boolean {
  const wanted = new Set(types)
  const has = new Set(webhook.types)
  return sameUrl(webhook.address, address) && wanted.size === has.size && [...wanted].every((type) => has.has(type))
}

/** The provider may have normalised the address. */
function sameUrl(one: string, other: string): boolean {
  return one === other || (URL.canParse(one) && URL.canParse(other) && new URL(one).href === new URL(other).href)
}
