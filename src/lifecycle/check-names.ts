import { RiverhookError } from '../model/errors.ts'
import { didYouMean } from '../model/nearest.ts'
import { groupsOf, isOneType, matches } from '../model/pattern.ts'
import type { Handlers } from '../handlers/registry.ts'
import type { EventFilter, HandlerName, Inbox } from '../inbox/inbox.ts'
import { listKnownTypes } from '../payload/refusals.ts'
import type { Source } from '../source/source.ts'
import type { Sources } from './sources.ts'

/** The conditions of a filter that name something. */
export type NamingFilter = Pick<EventFilter, 'handler' | 'type' | 'realm' | 'source' | 'endpoint'>

/** The names that exist, to compare those in a filter with. */
export interface KnownNames {
  readonly inbox: Inbox
  readonly sources: Sources
  readonly registry: Handlers
  readonly endpoints: readonly { readonly path: string; readonly realm: string }[]
}

/**
 * Refuses a filter with a name that nothing has: most likely a spelling mistake, which would select nothing. Names of
 * stored events and deliveries are right too. Reads the inbox only for names that the options do not have.
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_UNKNOWN, RIVERHOOK_OPTIONS_INVALID, with the nearest name
 */
export async function checkNames(
  { handler, type, realm, source, endpoint }: NamingFilter,
  { inbox, sources, registry, endpoints }: KnownNames
): Promise<void> {
  const here = sources.all.map((each) => each.source)
  const records = await inbox.handlers()
  const handlers = [...registry.all, ...records]
  const names = handlers.map(({ name }) => name)
  if (handler !== undefined && !names.includes(handler) && !(await isStored(inbox, { handler })))
    throw unknownHandler(handler, handlers)
  const realms = endpoints.map((each) => each.realm)
  if (realm !== undefined && !realms.includes(realm) && !(await isStored(inbox, { realm })))
    throw unknown('realm', realm, realms)
  const paths = endpoints.map(({ path }) => path)
  if (endpoint !== undefined && !paths.includes(endpoint) && !(await isStored(inbox, { endpoint })))
    throw unknown('endpoint', endpoint, paths)
  const sourceNames = [...here.map(({ name }) => name), ...records.map((record) => record.source)]
  if (source !== undefined && !sourceNames.includes(source) && !(await isStored(inbox, { source })))
    throw unknown('source', source, sourceNames)
  // The types of a source that is not here are not known.
  if (type === undefined || records.some((record) => !hasName(here, record.source))) return
  const known = await listInstead({ type }, { inbox, sources: here, handlers })
  if (known !== undefined) throw unknown('type', type, known)
}

/**
 * Refuses to fetch a type that nothing has, as `checkNames` does.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, with the nearest name
 */
export async function checkBackfillType(
  type: string,
  source: Source,
  { inbox, registry }: Pick<KnownNames, 'inbox' | 'registry'>
): Promise<void> {
  const handlers = [...registry.all, ...(await inbox.handlers())].filter((handler) => handler.source === source.name)
  const names = await listInstead({ type, source: source.name }, { inbox, sources: [source], handlers })
  if (names === undefined) return
  const ofNewer = '; for one that is newer than this version, give a pattern that covers it, or "*"'
  throw unknown('type', type, names, ofNewer)
}

/** The names that are known instead of a type or a pattern; undefined if it is known, or if not all types are. */
async function listInstead(
  filter: { readonly type: string; readonly source?: string },
  known: {
    readonly inbox: Inbox
    readonly sources: readonly Source[]
    readonly handlers: readonly { readonly pattern: string }[]
  }
): Promise<readonly string[] | undefined> {
  const { type } = filter
  // The types of a source that lists none are not known.
  if (type === '*' || known.sources.some(({ types }) => types.length === 0)) return undefined
  const patterns = known.handlers.map(({ pattern }) => pattern)
  const types = known.sources.flatMap((each) => [...listKnownTypes(each)])
  const isKnown = patterns.includes(type) || types.some((each) => matches(type, each))
  if (isKnown || (await isStored(known.inbox, filter))) return undefined
  return [...types, ...patterns, ...(isOneType(type) ? [] : groupsOf(types))]
}

async function isStored(inbox: Inbox, filter: Omit<EventFilter, 'limit'>): Promise<boolean> {
  return (await inbox.events({ ...filter, limit: 1 })).events.length > 0
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

function unknown(
  field: 'realm' | 'source' | 'type' | 'endpoint',
  name: string,
  given: readonly string[],
  ofType = ''
): RiverhookError {
  const known = unique(given)
  const otherwise = field === 'type' ? ofType : `; known are ${known.join(', ')}`
  return new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    `The ${field} "${name}" is unknown, and no event of it is stored${didYouMean(name, known, { otherwise })}`
  )
}

function hasName(sources: readonly { readonly name: string }[], name: string): boolean {
  return sources.some((source) => source.name === name)
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)]
}
