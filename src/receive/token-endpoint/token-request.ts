import { longestAuthorization } from '../authenticate/header-verdict.ts'
import { equalsOneOf } from '../authenticate/is-equal.ts'
import type { RequestHead } from '../served.ts'
import { TokenRefusal } from './token-refusal.ts'

/** A client that may fetch a token, with its user for the grant `password`. */
export interface TokenClient {
  readonly clientID: string
  readonly clientSecret: string
  readonly userName?: string | undefined
  readonly password?: string | undefined
}

/** A client after its credentials were checked. */
export interface KnownClient {
  readonly clientID: string
  /** Undefined: it has no user, and so the grant `client_credentials`. */
  readonly isUser: ((pair: string) => boolean) | undefined
}

export type FindClient = (id: string, secret: string) => KnownClient | undefined

export const formType = 'application/x-www-form-urlencoded'

/** Makes a function that finds a client by its credentials, in the same time for all of one length. */
export function clientFinder(clients: readonly TokenClient[]): FindClient {
  const all = clients.map(({ clientID, clientSecret, userName, password }) => ({
    isClient: equalsOneOf([pairOf(clientID, clientSecret)]),
    known: {
      clientID,
      isUser: userName === undefined ? undefined : equalsOneOf([pairOf(userName, password ?? '')])
    }
  }))
  return (id, secret) => {
    const given = pairOf(id, secret)
    return all.filter(({ isClient }) => isClient(given))[0]?.known
  }
}

/** Joins two texts so that no other two give the same. */
const pairOf = (one: string, other: string): string => JSON.stringify([one, other])

/**
 * Authenticates the client of a request for a token (RFC 6749, 2.3.1, 4.3 and 4.4), by the header or by the form.
 * @throws {TokenRefusal}
 */
export function readTokenRequest(
  headers: RequestHead['headers'],
  body: Uint8Array,
  find: FindClient
): { readonly clientID: string; readonly grant: string } {
  const form = readForm(headers, body)
  const client = findClient(headers['authorization'], form, find)
  const grant = form.get('grant_type')
  if (grant === undefined) throw new TokenRefusal('invalid_request', 'The parameter grant_type is missing')
  if (grant !== 'password' && grant !== 'client_credentials')
    throw new TokenRefusal('unsupported_grant_type', 'There are the grants password and client_credentials')
  const { clientID, isUser } = client
  if ((grant === 'password') !== (isUser !== undefined))
    throw new TokenRefusal(
      'unauthorized_client',
      isUser === undefined
        ? 'This client has no user: it must use the grant client_credentials'
        : 'This client has a user: it must use the grant password'
    )
  if (isUser === undefined) return { clientID, grant }
  const [userName, password] = [form.get('username'), form.get('password')]
  if (userName === undefined || password === undefined)
    throw new TokenRefusal('invalid_request', 'The grant password needs the parameters username and password')
  if (!isUser(pairOf(userName, password)))
    throw new TokenRefusal('invalid_grant', 'The user name or the password is wrong')
  return { clientID, grant }
}

/** Reads the form. A parameter without a value counts as missing (RFC 6749, 3.2). */
function readForm(headers: RequestHead['headers'], body: Uint8Array): ReadonlyMap<string, string> {
  const [type = ''] = String(headers['content-type'] ?? '').split(';', 1)
  if (type.trim().toLowerCase() !== formType)
    throw new TokenRefusal('invalid_request', `The content type must be ${formType}`)
  const form = new Map<string, string>()
  const seen = new Set<string>()
  for (const [name, value] of new URLSearchParams(textOf(body))) {
    // Bytes that are not UTF-8 must not become equal to others.
    if (`${name}${value}`.includes('\u{FFFD}'))
      throw new TokenRefusal('invalid_request', 'The form must be encoded in UTF-8')
    if (seen.has(name)) throw new TokenRefusal('invalid_request', 'The form has a parameter twice')
    seen.add(name)
    if (value !== '') form.set(name, value)
  }
  return form
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
}

function findClient(
  header: string | readonly string[] | undefined,
  form: ReadonlyMap<string, string>,
  find: FindClient
): KnownClient {
  const [id, secret] = [form.get('client_id'), form.get('client_secret')]
  if (header === undefined) {
    if (id === undefined || secret === undefined)
      throw new TokenRefusal('invalid_client', 'The request has no client: neither a Basic header nor the form fields')
    return find(id, secret) ?? unknown()
  }
  if (secret !== undefined)
    throw new TokenRefusal(
      'invalid_request',
      'The request has a client in the header and in the form: send one of them'
    )
  for (const pair of pairsIn(header)) {
    const client = find(...pair)
    if (client === undefined) continue
    if (id === undefined || id === client.clientID) return client
    throw new TokenRefusal('invalid_request', 'The parameter client_id is not the client of the header')
  }
  return unknown()
}

function unknown(): never {
  throw new TokenRefusal('invalid_client', 'There is no client with this id and secret')
}

/**
 * The id and the secret in a Basic header: first decoded as RFC 6749, 2.3.1, requires, then as they are, because many
 * clients send them so.
 */
function pairsIn(header: string | readonly string[]): readonly (readonly [id: string, secret: string])[] {
  if (typeof header !== 'string' || header.length > longestAuthorization) return []
  const encoded = /^basic +([a-z0-9+/_-]+=*) *$/i.exec(header)?.[1]
  if (encoded === undefined) return []
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? []
  if (id === undefined || secret === undefined) return []
  return [[decodeForm(id), decodeForm(secret)] as const, [id, secret] as const]
}

/** Decodes one value of a form. */
function decodeForm(text: string): string {
  return new URLSearchParams(`v=${text.replaceAll('&', '%26')}`).get('v') ?? ''
}
