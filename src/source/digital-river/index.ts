import type { Source } from '../source.ts'
import { DigitalRiverClient, type DigitalRiverClientOptions } from './api/client.ts'
import { readEnvelope } from './envelope.ts'
import { eventTypes, inferredEventTypes, withdrawnEventTypes } from './event-types.ts'
import { schemaOf } from './schema-of.ts'
import { signatureOf } from './sign.ts'
import { precheck, verifier } from './verify.ts'

/** Digital River as the core needs it: how it signs, and what its Event looks like. */
export function digitalRiver(): Source & { api(options?: DigitalRiverClientOptions): DigitalRiverClient } {
  return {
    name: 'digital-river',
    types: eventTypes,
    withdrawnTypes: withdrawnEventTypes,
    schemaOf,
    inferredTypes: inferredEventTypes,
    verifier,
    precheck,
    read: readEnvelope,
    sign({ body, secret, at }) {
      // Seconds: the provider documents no unit. Whole ones, as most providers of webhooks use.
      const timestamp = String(Math.floor(at.getTime() / 1000))
      return { 'DigitalRiver-Signature': `${timestamp}, ${signatureOf(secret, timestamp, body)}` }
    },
    api: (options) => new DigitalRiverClient(options)
  }
}
