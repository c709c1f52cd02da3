import type { Webhook } from './models.ts'

/**
 * Reads a webhook leniently: both spellings of the user name, and a field of another type counts as missing. Unknown
 * fields are left out.
 * @returns undefined if it is not an object or has no id
 */
export function readWebhook(value: unknown): Webhook | undefined {
  const fields = asRecord(value)
  const id = textIn(fields, 'id')
  if (id === undefined) return undefined
  const transportType = textIn(fields, 'transportType')
  const types = fields['types']
  return {
    id,
    address: textIn(fields, 'address') ?? '',
    types: Array.isArray(types) ? types.filter((type) => typeof type === 'string') : [],
    // The provider's default, if the answer leaves it out.
    enabled: fields['enabled'] !== false,
    ...optional('apiVersion', textIn(fields, 'apiVersion')),
    ...(transportType === 'HTTP' || transportType === 'OAUTH' ? { transportType } : {}),
    ...optional('authentication', readAuthentication(fields['authentication'])),
    ...optional('oauth', readOauth(fields['oauth'])),
    ...optional('createdTime', textIn(fields, 'createdTime')),
    ...optional('updatedTime', textIn(fields, 'updatedTime')),
    ...optional('liveMode', typeof fields['liveMode'] === 'boolean' ? fields['liveMode'] : undefined)
  }
}

function readAuthentication(value: unknown): Webhook['authentication'] {
  const fields = asRecord(value)
  const username = textIn(fields, 'username') ?? textIn(fields, 'userName')
  const password = textIn(fields, 'password')
  // Some answers write an empty object for "none".
  if (username === undefined && password === undefined) return undefined
  return { ...optional('username', username), ...optional('password', password) }
}

function readOauth(value: unknown): Webhook['oauth'] {
  const fields = asRecord(value)
  const tokenEndPoint = textIn(fields, 'tokenEndPoint')
  const clientID = textIn(fields, 'clientID')
  if (tokenEndPoint === undefined && clientID === undefined) return undefined
  return {
    tokenEndPoint: tokenEndPoint ?? '',
    clientID: clientID ?? '',
    clientSecret: textIn(fields, 'clientSecret') ?? '',
    ...optional('userName', textIn(fields, 'userName') ?? textIn(fields, 'username')),
    ...optional('password', textIn(fields, 'password')),
    ...optional('grantType', textIn(fields, 'grantType'))
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function textIn(fields: Record<string, unknown>, name: string): string | undefined {
  const value = fields[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** `{ name: value }`, or `{}` without a value. */
function optional<Name extends string, Value>(name: Name, value: Value | undefined): Partial<Record<Name, Value>> {
  return value === undefined ? {} : ({ [name]: value } as Partial<Record<Name, Value>>)
}
