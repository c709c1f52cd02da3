import { ignoreRejection } from '../model/not-begun.ts'
import { identityFault, type AnyEvent } from '../model/event.ts'
import type { Reading, Source, SourceRequest } from '../source/source.ts'
import { payloadIn } from '../payload/payload-in.ts'
import { shorten } from '../model/shorten.ts'
import { checkAnswer } from '../source/check-answer.ts'

/**
 * Reads the event in an authentic request with its source, and checks the id and the type with the rules that all later
 * steps rely on. The reason of a refusal is stored and sent, so it is shortened, and characters that a database cannot
 * store are removed.
 * @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT if the source returns neither an event nor a refusal
 */
export function readEvent(source: Pick<Source, 'name' | 'read' | 'payloadPath'>, request: SourceRequest): Reading {
  const reading = checkAnswer(source, 'read', source.read(request))
  const message = reading.ok ? eventFault(reading.event, source.payloadPath) : reading.message
  if (reading.ok && message === undefined) return reading
  const code = !reading.ok && refusals.has(reading.code) ? reading.code : 'RIVERHOOK_RECEIVE_BAD_ENVELOPE'
  return { ok: false, code, message: shorten(String(message).toWellFormed().replaceAll('\0', '\ufffd'), 1_000) }
}

/** The codes that a source may refuse with. */
const refusals: ReadonlySet<unknown> = new Set([
  'RIVERHOOK_RECEIVE_BAD_ENCODING',
  'RIVERHOOK_RECEIVE_BAD_JSON',
  'RIVERHOOK_RECEIVE_BAD_ENVELOPE'
])

/** Describes the problem with an event from a source, which may be a user's; undefined if it is valid. */
function eventFault(given: AnyEvent, payloadPath: Source['payloadPath']): string | undefined {
  // Of an async function; it has no id.
  ignoreRejection(given)
  const event = given as unknown as { readonly [Field in keyof AnyEvent]?: unknown } | null | undefined
  if (typeof event !== 'object' || event === null) return 'The source returned no Event'
  const fault = identityFault(given)
  if (fault !== undefined) return fault
  if (event.liveMode !== undefined && typeof event.liveMode !== 'boolean')
    return 'The Event\'s field "liveMode" must be boolean'
  if (payloadPath === undefined) return undefined
  const payload = payloadIn(given, payloadPath)
  const isObject = typeof payload === 'object' && payload !== null
  return isObject ? undefined : `The Event's field "${payloadPath.join('.')}" must be object`
}
