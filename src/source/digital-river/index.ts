import type { Precheck, SignInput, Source, SourceRequest } from '../source.ts'
import { DigitalRiverClient, type DigitalRiverClientOptions } from './api/client.ts'
import { readEnvelope } from './envelope.ts'
import { signatureHeader } from './header.ts'
import type { DigitalRiverEvent } from './event.ts'
import { keysOf } from './keys-of.ts'
import { personalPaths } from './personal-paths.ts'
import { eventTypes, inferredEventTypes, withdrawnEventTypes } from './event-types.ts'
import { registrationRules } from './registration-rules.ts'
import { schemaOf } from './schema-of.ts'
import { keyOf, signatureOf } from './sign.ts'
import { precheck, verifier, type DigitalRiverVerifier } from './verify.ts'

/** The parts that are more precise than the contract. */
export interface DigitalRiverSource extends Source<DigitalRiverEvent> {
  readonly payloadPath: readonly ['data', 'object']
  readonly limits: typeof limits
  readonly secretSteps: string
  schemaOf(type: string): object | undefined
  verifier(secrets: readonly string[]): DigitalRiverVerifier
  precheck(request: SourceRequest): Precheck
  sign(input: SignInput): Record<string, string>
  api(options?: DigitalRiverClientOptions): DigitalRiverClient
}

/** Digital River: how it signs, and what its events look like. */
export function digitalRiver(): DigitalRiverSource {
  return digitalRiverSource
}

/** How long Digital River waits for an answer, and for how long it retries an event. Documented by the provider. */
const limits = { answerMs: 3_000, retryMs: 72 * 3_600_000, bodyBytes: 1_048_576 }

/**
 * The 13 ranges of the page "Digital River safelist" (events and webhooks) of the provider's documentation, version of
 * April 2024. The list for its Commerce API is the same. It has no IPv6.
 */
const addresses = [
  '54.204.214.106/32',
  '100.25.55.35/32',
  '3.94.74.169/32',
  '52.207.145.30/32',
  '35.167.151.150/32',
  '50.112.167.211/32',
  '52.36.133.196/32',
  '54.68.3.105/32',
  '52.19.155.167/32',
  '34.241.30.95/32',
  '209.87.180.0/24',
  '217.65.128.0/24',
  '210.242.154.0/29'
]

/** How to get the signing secret: the API does not show it, only the provider's dashboard does. */
const secretSteps =
  "the new webhook has its own signing secret, which the API does not show. In Digital River's dashboard open Developers > Webhooks, " +
  'choose this webhook, reveal the secret (whk_...) with your password, and set it as secrets or RIVERHOOK_SECRETS. ' +
  'Until then its requests are answered 401, and Digital River retries them'

const digitalRiverSource: DigitalRiverSource = Object.freeze<DigitalRiverSource>({
  name: 'digital-river',
  payloadPath: ['data', 'object'],
  limits,
  addresses,
  secretSteps,
  registration: registrationRules,
  signatureHeaders: [signatureHeader],
  types: eventTypes,
  withdrawnTypes: withdrawnEventTypes,
  schemaOf,
  inferredTypes: inferredEventTypes,
  verifier,
  precheck,
  read: readEnvelope,
  keysOf,
  redact: personalPaths,
  sign({ body, secret, at }) {
    // Whole seconds, as most webhook providers use: Digital River does not document the unit.
    const timestamp = String(Math.floor(at.getTime() / 1000))
    return { 'DigitalRiver-Signature': `${timestamp}, ${signatureOf(keyOf(secret), timestamp, body)}` }
  },
  api: (options) => new DigitalRiverClient(options)
})
