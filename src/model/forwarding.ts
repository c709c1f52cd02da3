import { createHash } from 'node:crypto'

import { checkPattern } from './pattern.ts'
import { isRefusedAddress } from './refused-address.ts'

/** Where the events of one pattern are forwarded. */
export interface ForwardEntry {
  readonly pattern: string
  readonly url: string
  /** Of its handler. */
  readonly name: string
}

/** The longest name of a handler. */
const longestName = 200

/**
 * Checks the URL of a receiver. Returns the end of a sentence whose subject is the URL, or undefined. Never shows it,
 * because it may hold credentials.
 */
export function forwardUrlProblem(url: unknown): string | undefined {
  if (typeof url !== 'string' || !/^https?:\/\//i.test(url) || !URL.canParse(url))
    return 'must be an http or https URL such as http://erp.internal/hooks'
  const { hostname, username, password } = new URL(url)
  if (!isDecodable(`${username}:${password}`))
    return 'has a "%" in its user name or password that begins no percent-encoded character: write it as %25'
  return isRefusedAddress(hostname)
    ? 'must not lead to a link-local or metadata address: credentials of the machine are served there'
    : undefined
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** A part of a path that is a plain word or a version. Any other may be a token: it is not shown. */
const plainPart = /^(?:[a-z]{1,16}(?:[._-][a-z]{1,16}){0,2}|v\d{1,2})?$/

/**
 * The stable name of a handler that forwards: pattern, host and path. The scheme, the credentials and the query are not
 * part of it. A part of the path that may be a token is replaced by `*`, and a digest of the whole path is added: the
 * name is in logs, metrics and lists. Expects a checked URL.
 */
export function forwardName(pattern: string, url: string): string {
  const { host, pathname } = new URL(url)
  const whole = `${pattern}@${host}${pathname === '/' ? '' : pathname}`
  const parts = pathname.split('/')
  const isPlain = parts.every((part) => plainPart.test(part))
  if (isPlain && whole.length <= longestName) return whole
  const digest = createHash('sha256').update(whole).digest('hex').slice(0, 16)
  const path = parts.map((part) => (plainPart.test(part) ? part : '*')).join('/')
  return `${`${pattern}@${host}${path}`.slice(0, longestName - 1 - digest.length)}~${digest}`
}

/**
 * Checks a secret that signs forwarded requests. Returns the end of a sentence whose subject is the secret, or
 * undefined. Never shows it.
 */
export function forwardSecretProblem(secret: unknown): string | undefined {
  const advice = 'make one with: echo "whsec_$(openssl rand -base64 32)"'
  if (typeof secret !== 'string' || secret === '') return `must be a text that is not empty; ${advice}`
  if (secret.startsWith('whpk_')) return 'is a public key, which cannot sign: give the private one, whsk_...'
  const isPrivateKey = secret.startsWith('whsk_')
  const text = secret.replace(/^wh(?:sec|sk)_/, '')
  const bytes = /^[A-Za-z0-9+/]+={0,2}$/.test(text) && text.replace(/=+$/, '').length % 4 !== 1
  const key = Buffer.from(bytes ? text : '', 'base64')
  const { length } = key
  if (length > 0 && key.every((byte) => byte === 0)) return `is a key of zeros, which anybody can guess; ${advice}`
  if (isPrivateKey) return length === 32 ? undefined : 'must be a private Ed25519 key: whsk_ and 32 bytes in Base64'
  return length >= 24 ? undefined : `must be at least 24 bytes in Base64, with or without whsec_ before it; ${advice}`
}

/**
 * Reads a list such as `order.*=http://erp.internal/hooks, refund.*=http://mail.internal/hooks`: the entries that are
 * right, and what is wrong with the others. Entries end at a comma or a line end.
 */
export function readForwardList(list: string | readonly string[]): {
  readonly entries: readonly ForwardEntry[]
  /** Sentences that name the entry by its number. They show no URL. */
  readonly problems: readonly string[]
} {
  const texts = [list].flat().flatMap((each) => each.split(/[,\n]/))
  const read = texts.map((text) => text.trim()).filter((text) => text !== '')
  const entries: ForwardEntry[] = []
  const problems: string[] = read.length === 0 ? ['it holds no PATTERN=URL'] : []
  for (const [index, text] of read.entries()) {
    const entry = readEntry(text)
    if (typeof entry === 'string') {
      problems.push(`entry ${index + 1} ${entry}`)
      continue
    }
    if (entries.some(({ name }) => name === entry.name))
      problems.push(
        `entry ${index + 1} has the pattern, host and path of an earlier entry: deliveries are stored under these, so both would be "${entry.name}"`
      )
    else entries.push(entry)
  }
  return { entries, problems }
}

/** @returns the end of a sentence whose subject is the entry, if it is wrong */
function readEntry(text: string): ForwardEntry | string {
  const [, pattern = '', url = ''] = /^([^=]*)=(.*)$/s.exec(text)?.map((part) => part.trim()) ?? []
  if (!text.includes('=') || pattern.includes('//'))
    return 'must be PATTERN=URL, such as order.*=http://erp.internal/hooks (write a comma in a URL as %2C)'
  if (pattern === '') return 'has no pattern before the "=": write an event type, a prefix such as order.*, or *'
  try {
    checkPattern(pattern)
  } catch {
    // Not a URL, as checked above, so it may be shown.
    return `has the pattern "${pattern}", which is none: write an event type (order.accepted), a prefix (order.*, order/*, order:*) or *`
  }
  const problem = forwardUrlProblem(url)
  if (problem !== undefined) return `("${pattern}"): its URL ${problem}`
  return { pattern, url, name: forwardName(pattern, url) }
}
