import { identityFault } from '../event.ts'
import type { Reading, Source, SourceRequest } from '../source/source.ts'
import { shorten } from './shorten.ts'

/**
 * Reads the Event in an authentic request, by whatever source, and holds its id and type to the rules that everything behind relies on. The
 * reason of a refusal is stored and sent: it is cut, and what a database cannot hold is taken out.
 */
export function readEvent(source: Pick<Source, 'read'>, request: SourceRequest): Reading {
  const reading = source.read(request)
  const message = reading.ok ? identityFault(reading.event) : reading.message
  if (reading.ok && message === undefined) return reading
  const code = reading.ok ? 'RIVERHOOK_RECEIVE_BAD_ENVELOPE' : reading.code
  return { ok: false, code, message: shorten(String(message).toWellFormed().replaceAll('\0', '\ufffd'), 1_000) }
}
