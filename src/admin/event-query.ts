import { createHash } from 'node:crypto'

import { RiverhookError, type EventFilter } from '../index.ts'
import { readInstant, recordSearch } from '../programs.ts'
import type { CountQueryJson } from './api-types.ts'
import type { AdminContext } from './route.ts'
import type { Scope } from './scope.ts'

/** A filter without the fields that say which page of it is wanted. */
export type Wanted = Omit<EventFilter, 'limit' | 'after' | 'oldestFirst'>

/**
 * The filter of a query as the inbox takes it.
 * @param scopes those of the operator. Without `reveal`, conditions for the body and beginnings of search keys are
 * refused: they would reveal these piece by piece
 * @throws {RiverhookError} RIVERHOOK_ADMIN_INVALID, RIVERHOOK_ADMIN_FORBIDDEN
 */
export function readFilter({ since, until, ...others }: CountQueryJson, scopes: ReadonlySet<Scope>): Wanted {
  const revealing = revealingIn(others)
  if (revealing !== undefined) needReveal(revealing, scopes)
  return { ...others, since: readTime('since', since), until: readTime('until', until) }
}

/**
 * Reads a filter for a search that begins now. One by hidden values has an entry in the audit log, as any reveal has.
 * @throws as `readFilter`
 */
export async function beginSearch(
  query: CountQueryJson,
  { riverhook: { inbox }, actor, scopes }: Pick<AdminContext, 'riverhook' | 'actor' | 'scopes'>
): Promise<Wanted> {
  const filter = readFilter(query, scopes)
  if (revealingIn(query) !== undefined) await recordSearch(inbox, actor, filter)
  return filter
}

/** Names the condition by which hidden values could be found out. Undefined if there is none. */
function revealingIn({ where, about }: Pick<CountQueryJson, 'where' | 'about'>): string | undefined {
  if (where !== undefined) return '"where"'
  return about?.endsWith('*') === true ? '"about" with "*" at its end' : undefined
}

/**
 * Refuses a condition or an option to an operator without the scope.
 * @throws {RiverhookError} RIVERHOOK_ADMIN_FORBIDDEN
 */
export function needReveal(what: string, scopes: ReadonlySet<Scope>): void {
  if (scopes.has('reveal')) return
  throw new RiverhookError('RIVERHOOK_ADMIN_FORBIDDEN', `${what} needs the scope "reveal", which you do not have`)
}

/** Reads a time of a request. @throws {RiverhookError} RIVERHOOK_ADMIN_INVALID */
export function readTime(field: string, text: string): Date
export function readTime(field: string, text: string | undefined): Date | undefined
export function readTime(field: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const instant = readInstant(text)
  if (instant !== undefined) return instant
  throw new RiverhookError(
    'RIVERHOOK_ADMIN_INVALID',
    `"${field}" must be an instant such as 2026-01-31T12:00Z, or a span of time before now such as 24h`
  )
}

/**
 * The position after a page, for the client. It has a mark of the filter: with another one it would skip entries
 * silently.
 */
export function writeCursor(position: number | undefined, query: object): string | undefined {
  return position === undefined ? undefined : `${position}.${markOf(query)}`
}

/** @throws {RiverhookError} RIVERHOOK_ADMIN_INVALID if the cursor is of another filter, or is no cursor */
export function readCursor(cursor: string | undefined, query: object): number | undefined {
  if (cursor === undefined) return undefined
  const [, position, mark] = /^(\d{1,15})\.([\w-]{16})$/.exec(cursor) ?? []
  if (position !== undefined && mark === markOf(query)) return Number(position)
  throw new RiverhookError(
    'RIVERHOOK_ADMIN_INVALID',
    '"after" is not the `next` of a page with the same filter: begin again without it'
  )
}

/** A digest of the fields of a query that select and sort. */
function markOf(query: object): string {
  const { limit: _limit, after: _after, ...fields } = query as Readonly<Record<string, unknown>>
  const sorted = Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64url').slice(0, 16)
}
