import { isIP } from 'node:net'
import type { IncomingHttpHeaders } from 'node:http'

/**
 * The name that the sender used for this server, in lower case, without the port. From the headers as they arrived: a
 * forwarded host is the word of the sender. Undefined if there is none, or it is no name.
 */
export function nameOfHost(headers: IncomingHttpHeaders): string | undefined {
  const match = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(hostOf(headers) ?? '')
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, '')
}

/** The host and the port, as the sender wrote them. */
export function hostOf(headers: IncomingHttpHeaders): string | undefined {
  return headers.host ?? (headers as { readonly [':authority']?: string })[':authority']
}

/** Whether a name always means this machine. */
export function isLoopbackName(name: string): boolean {
  return /^(?:.+\.)?localhost$/.test(name) || /^127\.\d+\.\d+\.\d+$/.test(name) || name === '::1'
}

/**
 * Whether the server may be called by this name. A page can make its own name lead to this machine (DNS rebinding), and
 * would then be of the same origin; so only listed names are accepted. An address is no name that could be made to lead
 * elsewhere.
 */
export function isAcceptedHost(name: string | undefined, listed: ReadonlySet<string>): boolean {
  return name !== undefined && (isLoopbackName(name) || isIP(name) !== 0 || listed.has(name))
}
