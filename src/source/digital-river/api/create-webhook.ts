import { DigitalRiverApiError } from './api-error.ts'
import { isUndecided } from './connection.ts'
import type { Webhook, WebhookRequest } from './models.ts'

/** What creating a webhook needs of the API. */
export interface CreateSteps {
  /** All webhooks of the account. */
  readonly list: () => Promise<readonly Webhook[]>
  /** One try. */
  readonly post: () => Promise<Webhook>
  readonly pause: (attempt: number) => Promise<void>
  readonly retries: number
}

/**
 * Creates a webhook once. The provider has no idempotency key, and a create that is sent twice makes two webhooks, each
 * of which gets every event. So after a try whose effect is not known (no answer, 5xx, an answer that cannot be read)
 * the webhooks are listed before anything else: one with this address and these types that was not there before is
 * ours.
 *
 * What was there before is listed before the first try, always: it costs one call, and needs no trust in two clocks, as
 * the comparison with `createdTime` would.
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
    // A conflict with what the try before made.
    const conflict = attempt > 1 && result.status === 409
    if (!unreadable && !conflict && !isUndecided(result.status)) throw result

    // It may be taking effect at this moment.
    await pause(attempt)
    const now = await settle(list)
    if (now instanceof DigitalRiverApiError) {
      // What failed is the create. Why nobody could look is its cause, and holds no secret either.
      result.cause = now
      throw result
    }
    const made = now.find((webhook) => !known.has(webhook.id) && isAs(webhook, request))
    if (made !== undefined) return made
    // After a 2xx it exists, whether it can be found or not; after a conflict another try meets the same.
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

/** The provider may have written it in its normal form. */
function sameUrl(one: string, other: string): boolean {
  return one === other || (URL.canParse(one) && URL.canParse(other) && new URL(one).href === new URL(other).href)
}
