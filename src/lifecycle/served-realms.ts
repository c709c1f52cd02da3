import { loggedError } from '../model/error-text.ts'
import { RiverhookError } from '../model/errors.ts'
import type { Log } from '../model/log.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { repeat, type Repeated } from '../manage/repeat.ts'

/** An endpoint as a command and a server must agree on it. */
export interface ServedEndpoint {
  readonly path: string
  readonly realm: string
  readonly source: { readonly name: string }
}

const everyMs = 600_000
/** Realms whose mark is this much older than the newest of their source are no longer served. */
const goneAfterMs = 3 * everyMs

/** The watermark of the time when a server last served a realm with endpoints of this source. */
const servedMark = (source: string): string => `served ${source}`

/**
 * Stores which realms a server serves, and that it still does, so that commands notice if they have others. Uses
 * watermarks, which each engine has per realm. Resolves after the first attempt; failures are retried.
 */
export async function keepServed(inbox: Inbox, endpoints: readonly ServedEndpoint[], log: Log): Promise<Repeated> {
  const first = Promise.withResolvers<undefined>()
  const store = async (): Promise<void> => {
    const now = await inbox.now()
    for (const { realm, source } of endpoints) await inbox.advance(realm, servedMark(source.name), now)
  }
  const kept = repeat(
    () =>
      store().finally(() => {
        first.resolve(undefined)
      }),
    {
      everyMs,
      ending: new AbortController(),
      failed: (error) => {
        log.warn({ err: loggedError(error) }, 'could not store which realms this server serves; retrying')
      }
    }
  )
  await first.promise
  return kept
}

/**
 * Refuses to record events of an endpoint in a realm that the server does not serve: an event that arrives there too
 * would be handled twice. Without a server so far, any realm is right.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID
 */
export async function checkServed(inbox: Inbox, { path, realm, source }: ServedEndpoint): Promise<void> {
  const marks = (await inbox.watermarks()).filter(({ name }) => name === servedMark(source.name))
  const newest = Math.max(...marks.map(({ at }) => at.getTime()))
  const served = marks.filter(({ at }) => at.getTime() >= newest - goneAfterMs).map((mark) => mark.realm)
  if (served.length === 0 || served.includes(realm)) return
  throw new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    `backfill(): the endpoint ${path} has the realm "${realm}" here, and the server has ${served.join(', ')} for the ` +
      `source ${source.name}. Events that arrive in both would be handled twice. Give the endpoint the "mode" or the ` +
      '"realm" of the server (RIVERHOOK_MODE, RIVERHOOK_REALM or --realm on the command line)'
  )
}
