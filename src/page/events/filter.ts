import type { ReplayFilterJson } from '../../admin/api-types.ts'
import type { Query } from '../link.ts'
import { readTime } from '../time.ts'

/** The parameters of the address that choose events, with the words that their chips say. */
export const fields = {
  about: 'about',
  type: 'type',
  handler: 'handler',
  endpoint: 'endpoint',
  live: 'mode',
  source: 'source',
  realm: 'realm',
  id: 'id',
  error: 'error',
  where: 'field'
} as const

export type Field = keyof typeof fields
export const fieldNames = Object.keys(fields) as readonly Field[]

/** Nothing asked: the last day, as the list of a million events would say little. */
const defaultSince = '24h'

/** The time of the list: what the address says, else the last day, else, for an id or a key, all time. */
export function spanOf(query: Query): { readonly since: string | undefined; readonly until: string | undefined } {
  const isById = query['about'] !== undefined || query['id'] !== undefined
  const since = query['since'] ?? (query['until'] !== undefined || isById ? 'all' : defaultSince)
  return { since: since === 'all' ? undefined : since, until: query['until'] }
}

/** Describes what is wrong with the parameters of the address; undefined if nothing is. */
export function problemOf(query: Query): string | undefined {
  for (const name of ['since', 'until']) {
    const value = query[name]
    if (value !== undefined && value !== 'all' && readTime(value) === undefined)
      return `"${name}" is not a time: ${value}. Write 24h, or 2026-11-26T14:00:00Z`
  }
  const { state, live } = query
  if (live !== undefined && !modes.some(({ value }) => value === live))
    return `"live" is neither true nor false: ${live}`
  if (state !== undefined && !states.some(({ value }) => value === state))
    return `"state" is none of the states: ${state}`
  return undefined
}

/** The filter as the API takes it. */
export function apiQuery(query: Query): URLSearchParams {
  const params = new URLSearchParams()
  for (const name of [...fieldNames, 'state'] as const) {
    const value = query[name]
    if (value === undefined || value === '') continue
    for (const each of name === 'where' ? value.split(/\s*&&\s*/u) : [value]) params.append(name, each)
  }
  const { since, until } = spanOf(query)
  if (since !== undefined) params.set('since', since)
  if (until !== undefined) params.set('until', until)
  return params
}

/** The filter of a replay or a removal of all events that match. */
export function filterBody(query: Query): ReplayFilterJson {
  const params = apiQuery(query)
  const { live, where, ...others } = Object.fromEntries(params)
  return {
    ...others,
    ...(live === undefined ? {} : { live: live === 'true' }),
    ...(where === undefined ? {} : { where: params.getAll('where') })
  }
}

/** The modes, as the API names them. */
export const modes = [
  { value: 'true', label: 'live' },
  { value: 'false', label: 'test' }
] as const

/** The states of the tabs above the list. */
export const states = [
  { value: '', label: 'All' },
  { value: 'dead', label: 'Dead' },
  { value: 'pending', label: 'Pending' },
  { value: 'waiting', label: 'Waiting' },
  { value: 'running', label: 'Running' },
  { value: 'parked', label: 'Parked' },
  { value: 'done', label: 'Done' },
  { value: 'quarantined', label: 'Quarantined' }
] as const

/** The spans of the menu of times. */
export const spans = [
  { value: '1h', label: 'Last hour' },
  { value: '6h', label: 'Last 6 hours' },
  { value: '24h', label: 'Last 24 hours' },
  { value: '7d', label: 'Last 7 days' },
  { value: '30d', label: 'Last 30 days' },
  { value: 'all', label: 'All time' }
] as const
