import { delay } from '../../model/timers.ts'
import type { ApiOptions } from '../source.ts'
import { ApiError } from './api-error.ts'
import { readApiKey, readApiUrl, type KeyPlace } from './api-key.ts'
import { Connection, type ConnectionSettings } from './connection.ts'

export interface ApiPlace extends KeyPlace, Partial<Pick<ConnectionSettings, 'headers' | 'encoding'>> {
  /** The provider's own URL, without a slash at the end. */
  readonly url: string
}

/**
 * A connection with a plain key: 10 s for a call, 4 retries.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID for a key or a URL that cannot be used
 */
export function openConnection(
  { apiKey, apiUrl, signal }: ApiOptions,
  { headers = {}, encoding, ...place }: ApiPlace
): { readonly connection: Connection; readonly key: string } {
  const key = readApiKey(apiKey, place)
  const connection = new Connection({
    Failure: ApiError,
    advice: () => undefined,
    key,
    url: readApiUrl(apiUrl, place.url),
    headers,
    encoding,
    timeoutMs: 10_000,
    retries: 4,
    random: Math.random,
    wait: (ms) => delay(ms, undefined, signal && { signal }),
    signal
  })
  return { connection, key }
}
