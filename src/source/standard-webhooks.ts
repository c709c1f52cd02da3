import type { AnyEvent } from '../model/event.ts'
import { checkAgainst, isOneOf } from '../model/option-rules.ts'
import { checkDescription, rulesWithout } from './hmac/check-description.ts'
import { ed25519Scheme } from './hmac/ed25519-scheme.ts'
import type { HmacEvent, HmacSourceOptions } from './hmac/hmac-options.ts'
import { hmacScheme } from './hmac/hmac-scheme.ts'
import type { Scheme } from './hmac/scheme.ts'
import { signedSource, type HmacSource } from './hmac/signed-source.ts'

/** The parts that the standard fixes. */
const fixed = [
  'header',
  'algorithm',
  'encoding',
  'separator',
  'fields',
  'timestampHeader',
  'timestampFormat',
  'signed',
  'key',
  'form',
  'id'
] as const

/** See `standardWebhooks`. Members of `HmacSourceOptions` that the standard leaves open can be given. */
export interface StandardWebhooksOptions<E extends AnyEvent = HmacEvent>
  extends Partial<Omit<HmacSourceOptions<E>, (typeof fixed)[number] | 'prefix' | 'name' | 'type'>> {
  /** The name of the source, stored with every event. Default: the prefix, `webhook` or `svix`. */
  readonly name?: string | undefined
  /** The prefix of the header names: `webhook-id` (default) or `svix-id`. */
  readonly prefix?: 'webhook' | 'svix' | undefined
  /** Default: the field `type` of the body, as the standard recommends. */
  readonly type?: HmacSourceOptions['type'] | undefined
}

/**
 * Webhooks by the rules of https://www.standardwebhooks.com, which OpenAI, Anthropic, Supabase and many others follow;
 * with `prefix: 'svix'` those that are sent through Svix, such as Clerk's and Resend's.
 *
 * - **Verified**: HMAC-SHA256 (`v1`) over the header `webhook-id`, the header `webhook-timestamp` and the body; or
 *   Ed25519 (`v1a`) where the secret is a public key, `whpk_...`. So id, time and body are authentic.
 * - **Not signed**: other headers.
 * - **Secrets**: Base64, with or without `whsec_` before it. Several are accepted, of both kinds.
 * - **Duplicates**: every retry has the same `webhook-id`, and a new time.
 * - **Limits**: the standard recommends that senders wait 15 s to 30 s for an answer. Its example
 *   retries for 75 h 35 min; providers differ.
 *
 * The event is `{ id, type, createdTime, payload }`; `payload` is the body.
 *
 * Facts: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md and
 * https://docs.svix.com/receiving/verifying-payloads/how-manual
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names every option that is wrong
 */
export function standardWebhooks<E extends AnyEvent = HmacEvent>(
  options: StandardWebhooksOptions<E> = {}
): HmacSource<E> {
  checkAgainst(optionRules, options, 'standardWebhooks')
  const { prefix = 'webhook', name = prefix, type = { field: 'type' }, ...more } = options
  const description: HmacSourceOptions<E> = {
    createdTime: { field: 'timestamp' },
    limits: { answerMs: 15_000, retryMs: (75 * 60 + 35) * 60_000 },
    ...more,
    name,
    type,
    id: { header: `${prefix}-id` },
    header: `${prefix}-signature`,
    separator: ' ',
    timestampHeader: `${prefix}-timestamp`,
    signed: '{id}.{timestamp}.{body}'
  }
  checkDescription(description)
  return signedSource(description, scheme)
}

const optionRules = { ...rulesWithout(...fixed), prefix: isOneOf('webhook', 'svix') }

const hmac = hmacScheme({ encoding: 'base64', prefix: 'v1,', key: { encoding: 'base64', prefix: 'whsec_' } })
const ed25519 = ed25519Scheme({ prefix: 'v1a,', publicPrefix: 'whpk_', privatePrefix: 'whsk_' })
const scheme: Scheme = {
  expected: `${hmac.expected} or ${ed25519.expected}`,
  kinds: [...hmac.kinds, ...ed25519.kinds],
  keyOf: (secret) => (/^wh[ps]k_/.test(secret) ? ed25519 : hmac).keyOf(secret)
}
