import { RiverhookError } from '../model/errors.ts'
import { didYouMean } from '../model/nearest.ts'
import { isOneType, matches } from '../model/pattern.ts'
import type { Handlers } from '../handlers/registry.ts'
import type { EventFilter, HandlerName, Inbox } from '../inbox/inbox.ts'
import type { ReplayFilter } from '../inbox/replay.ts'
import { listKnownTypes } from '../payload/refusals.ts'
import type { Sources } from './sources.ts'

/** The names that exist, to compare those in a filter with. */
export interface KnownNames {
  readonly inbox: Inbox
  readonly sources: Sources
  readonly registry: Handlers
  /** The realms of the endpoints. */
  readonly realms: readonly string[]
}

/**
 * Refuses a filter with a name that nothing has: most likely a spelling mistake, which would select nothing. Names of
 * stored events and deliveries are right too. Reads the inbox only for names that the options do not have.
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN, RIVERHOOK_OPTIONS_INVALID, with the nearest name
 */
export async function checkNames(
  { handler, type, realm, source }: ReplayFilter,
  { inbox, sources, registry, realms }: KnownNames
): Promise<void> {
  const isStored = async (narrow: Omit<EventFilter, 'limit'>): Promise<boolean> =>
    (await inbox.events({ ...narrow, limit: 1 })).events.length > 0
  const here = sources.all.map((each) => each.source)
  const records = await inbox.handlers()
  const handlers = [...registry.all, ...records]
  const names = handlers.map(({ name }) => name)
  if (handler !== undefined && !names.includes(handler) && !(await isStored({ handler })))
    throw unknownHandler(handler, handlers)
  if (realm !== undefined && !realms.includes(realm) && !(await isStored({ realm })))
    throw unknown('realm', realm, realms)
  const sourceNames = [...here.map(({ name }) => name), ...records.map((record) => record.source)]
  if (source !== undefined && !sourceNames.includes(source) && !(await isStored({ source })))
    throw unknown('source', source, sourceNames)
  if (type === undefined || type === '*') return
  const patterns = handlers.map(({ pattern }) => pattern)
  const types = here.flatMap((each) => [...listKnownTypes(each)])
  // The types of a source that is not here, or lists none, are not known.
  const isListed = here.every((each) => each.types.length > 0) && records.every((each) => hasName(here, each.source))
  const isKnown = patterns.includes(type) || types.some((known) => matches(type, known))
  if (isListed && !isKnown && !(await isStored({ type })))
    throw unknown('type', type, [...types, ...patterns, ...(isOneType(type) ? [] : groupsOf(types))])
}

/** @param known the handlers that exist */
export function unknownHandler(name: string, known: readonly Pick<HandlerName, 'name'>[]): RiverhookError {
  const names = unique(known.map((handler) => handler.name))
  const list = names.length === 0 ? 'no server with handlers has used this inbox' : `there are ${names.join(', ')}`
  return new RiverhookError(
    'RIVERHOOK_HANDLERS_UNKNOWN',
    `There is no handler "${name}"${didYouMean(name, names, { otherwise: `; ${list}` })}`
  )
}

function unknown(field: 'realm' | 'source' | 'type', name: string, given: readonly string[]): RiverhookError {
  const known = unique(given)
  const otherwise = field === 'type' ? '' : `; known are ${known.join(', ')}`
  return new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    `replay(): the ${field} "${name}" is unknown, and no event of it is stored${didYouMean(name, known, { otherwise })}`
  )
}

/** The patterns such as `order.*` that cover these types. */
function groupsOf(types: readonly string[]): readonly string[] {
  return types.flatMap((type) => [...type.matchAll(/[./:]/g)].map(({ index }) => `${type.slice(0, index + 1)}*`))
}

function hasName(sources: readonly { readonly name: string }[], name: string): boolean {
  return sources.some((source) => source.name === name)
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)]
}
