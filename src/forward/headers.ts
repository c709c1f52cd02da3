import type { AnyEvent, KeptHeaders } from '../model/event.ts'

/** The parts from which the headers of a forwarded event are made. */
export interface Sent {
  readonly event: Pick<AnyEvent, 'id' | 'type'>
  readonly source: string
  readonly realm: string
  readonly attempt: number
  /** Those that were stored with the event. */
  readonly kept: KeptHeaders
  /** The user's own. */
  readonly own: Readonly<Record<string, string>>
}

/** Headers of the connection, and those that Riverhook sets. Neither the user nor the provider sets them. */
const reserved =
  /^(?:webhook-.*|riverhook-.*|connection|content-length|content-encoding|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$/
/** The provider's credentials for Riverhook. They are not passed on. */
const credentials = /^(?:authorization|cookie)$/

/** Whether `headers` of `forward()` may hold a header of this name. The content type is the event's. */
export function isReserved(name: string): boolean {
  return reserved.test(name.toLowerCase()) || name.toLowerCase() === 'content-type'
}

/** The headers that describe the event. */
export function describingHeaders({ event, source, realm, attempt, kept, own }: Sent): Record<string, string> {
  const passedOn = Object.entries(kept).filter(([name]) => !reserved.test(name) && !credentials.test(name))
  const ownLower = Object.entries(own).map(([name, value]): [string, string] => [name.toLowerCase(), value])
  return {
    'user-agent': 'riverhook',
    // The stored headers have a content type only if it is not JSON.
    'content-type': 'application/json',
    ...Object.fromEntries(passedOn.map(([name, value]) => [name, sendable(value)])),
    ...Object.fromEntries(ownLower),
    'riverhook-event-id': encoded(event.id),
    'riverhook-event-type': encoded(event.type),
    'riverhook-source': encoded(source),
    'riverhook-realm': encoded(realm),
    'riverhook-attempt': String(attempt)
  }
}

/** Percent-encodes what is not visible ASCII. */
function encoded(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x24\x26-\x7e]/gu, encodeURIComponent)
}

/** Percent-encodes what no header can hold: a header that `split` made may have such characters. */
function sendable(value: string): string {
  return value.toWellFormed().replace(/[^\t\x20-\x7e\x80-\xff]/gu, encodeURIComponent)
}
