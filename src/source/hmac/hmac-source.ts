import type { AnyEvent } from '../../model/event.ts'
import { checkDescription } from './check-description.ts'
import type { HmacEvent, HmacSourceOptions } from './hmac-options.ts'
import { hmacScheme } from './hmac-scheme.ts'
import { signedSource, type HmacSource } from './signed-source.ts'

/**
 * Makes a source for a provider that signs its requests with an HMAC, from a description:
 *
 *     const payments = hmacSource({
 *       name: 'payments',
 *       header: 'X-Signature',
 *       fields: { timestamp: 't', signature: 'v1' },
 *       signed: '{timestamp}.{body}',
 *       id: { field: 'event_id' },
 *       type: { field: 'event_type' }
 *     })
 *
 * It compares the signature first, in constant time, and judges the time second. It can also `sign`, and explains in
 * the log why a signature did not match.
 * @typeParam E the union of the provider's events, which types the handlers
 * @typeParam Path where the payload is in an event, which a handler's own schema types
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names every wrong option
 */
export function hmacSource<E extends AnyEvent, const Path extends readonly string[]>(
  options: HmacSourceOptions<E> & { readonly payloadPath: Path }
): HmacSource<E> & { readonly payloadPath: Path }
export function hmacSource<E extends AnyEvent = HmacEvent>(options: HmacSourceOptions<E>): HmacSource<E>
export function hmacSource<E extends AnyEvent>(options: HmacSourceOptions<E>): HmacSource<E> {
  checkDescription(options)
  return signedSource(options, hmacScheme(options))
}
