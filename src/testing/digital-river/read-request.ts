import { invalid, missing, Refusal } from './refuse.ts'

/**
 * Reads the body for a webhook without the client's schemas: if the simulator shared them, it could not find mistakes
 * of the client. (Based on the models of the official PHP SDK and the provider's guide.)
 */
export interface WebhookFields {
  readonly address: string
  readonly types: readonly string[]
  readonly enabled: boolean
  readonly apiVersion: string
  readonly transportType: 'HTTP' | 'OAUTH'
  readonly authentication: { readonly username?: string; readonly password?: string } | undefined
  readonly oauth: Readonly<Record<string, string>> | undefined
}

type Body = Readonly<Record<string, unknown>>

/** The defaults of a create. */
const defaults: Omit<WebhookFields, 'address'> = {
  types: [],
  enabled: true,
  apiVersion: 'default',
  transportType: 'HTTP',
  authentication: undefined,
  oauth: undefined
}

/** @throws {Refusal} 400 that names the parameter */
export function readCreate(body: unknown): WebhookFields {
  const fields = readFields(body)
  if (fields.address === undefined) throw missing('address')
  return checkTransport({ ...defaults, ...fields, address: fields.address })
}

/** Changes only the given fields. @throws {Refusal} */
export function readUpdate(body: unknown, before: WebhookFields): WebhookFields {
  const fields = readFields(body ?? {})
  const merged = { ...before, ...fields }
  // Drop the credentials of the other transport.
  const isOauth = merged.transportType === 'OAUTH'
  return checkTransport({
    ...merged,
    authentication: isOauth && fields.authentication === undefined ? undefined : merged.authentication,
    oauth: !isOauth && fields.oauth === undefined ? undefined : merged.oauth
  })
}

function readFields(body: unknown): Partial<WebhookFields> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Refusal(400, 'The body must be a JSON object.', { code: 'invalid_body' })
  const given = body as Body
  const fields: Record<string, unknown> = {
    address: optional(given, 'address', isUrl, 'must be a http or https URL.'),
    types: optional(given, 'types', isTypes, 'must be an array of names of event types, without patterns.'),
    enabled: optional(given, 'enabled', (value) => typeof value === 'boolean', 'must be a boolean.'),
    apiVersion: optional(
      given,
      'apiVersion',
      (value) => /^(?:default|latest|\d{4}-\d\d-\d\d)$/.test(String(value)),
      'must be default or a version.'
    ),
    transportType: optional(
      given,
      'transportType',
      (value) => value === 'HTTP' || value === 'OAUTH',
      'must be HTTP or OAUTH.'
    ),
    authentication: readAuthentication(optional(given, 'authentication', isObject, 'must be an object.')),
    oauth: readOauth(optional(given, 'oauth', isObject, 'must be an object.'))
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function optional(body: Body, name: string, holds: (value: unknown) => boolean, rule: string): unknown {
  const value = body[name]
  if (value === undefined || holds(value)) return value
  throw invalid(name, `${name} ${rule}`)
}

/** The provider's documents disagree on the spelling of the user name: both are accepted. */
function readAuthentication(given: unknown): WebhookFields['authentication'] {
  if (given === undefined) return undefined
  for (const [name, value] of Object.entries(given as Body)) {
    if (typeof value !== 'string') throw invalid(`authentication.${name}`, `authentication.${name} must be a string.`)
  }
  const { username, userName, password } = given as Record<string, string | undefined>
  const name = username ?? userName
  return { ...(name === undefined ? {} : { username: name }), ...(password === undefined ? {} : { password }) }
}

const oauthFields = ['tokenEndPoint', 'clientID', 'clientSecret', 'userName', 'password', 'grantType']

function readOauth(given: unknown): WebhookFields['oauth'] {
  if (given === undefined) return undefined
  const oauth = given as Record<string, string | undefined>
  const absent = oauthFields.slice(0, 3).find((name) => typeof oauth[name] !== 'string' || oauth[name] === '')
  if (absent !== undefined) throw missing(`oauth.${absent}`)
  const known = oauthFields.flatMap((name) => (typeof oauth[name] === 'string' ? [[name, oauth[name]] as const] : []))
  return { grantType: 'password', ...Object.fromEntries(known) }
}

function checkTransport(fields: WebhookFields): WebhookFields {
  const { transportType, authentication, oauth } = fields
  if (transportType === 'OAUTH' && oauth === undefined) throw missing('oauth')
  if (transportType === 'OAUTH' && authentication !== undefined)
    throw invalid('authentication', 'authentication is for transportType HTTP.')
  if (transportType === 'HTTP' && oauth !== undefined) throw invalid('oauth', 'oauth is for transportType OAUTH.')
  return fields
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
}

function isTypes(value: unknown): boolean {
  return Array.isArray(value) && value.every((type) => typeof type === 'string' && type !== '' && !type.includes('*'))
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
