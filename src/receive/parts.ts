import { RiverhookError } from '../model/errors.ts'
import { describeValue, isPlainObject } from '../model/option-rules.ts'
import { ignoreRejection } from '../model/not-begun.ts'
import { keptHeaders } from '../source/kept-headers.ts'
import type { IncomingRequest, Source } from '../source/source.ts'

/** The most events of one request. They are recorded in one transaction. */
const mostParts = 1_000

/** One part of a request: what is stored of it, and all that `read` gets. */
export interface Part {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Why the part cannot be an event, regardless of what `read` returns. */
  readonly fault?: string
}

/**
 * Splits a verified request into parts of one event each, with the headers that the source keeps. A request with too
 * many parts becomes one part with a fault: it is quarantined as a whole.
 * @throws {RiverhookError} RIVERHOOK_RECEIVE_FAULT if the source does not return a list of requests
 */
export function splitRequest(
  source: Pick<Source, 'name' | 'keep' | 'split'>,
  request: IncomingRequest
): readonly Part[] {
  const whole = { headers: keptHeaders(source, request.headers), body: request.body }
  if (source.split === undefined) return [whole]
  const parts: unknown = source.split(request)
  if (!Array.isArray(parts)) {
    ignoreRejection(parts)
    throw fault(source, `it returned ${describeValue(parts)}`)
  }
  if (parts.length > mostParts)
    return [{ ...whole, fault: `The request holds ${parts.length} events; one request may hold ${mostParts}` }]
  return parts.map((part: unknown, index) => {
    if (!isPart(part)) throw fault(source, `number ${index + 1} of the list is not a request`)
    return { headers: keptHeaders(source, part.headers), body: part.body }
  })
}

function isPart(part: unknown): part is IncomingRequest {
  if (!isPlainObject(part) || !isPlainObject(part['headers']) || !(part['body'] instanceof Uint8Array)) return false
  return Object.values(part['headers']).every(
    (value) => value === undefined || [value].flat().every((each) => typeof each === 'string')
  )
}

function fault({ name }: Pick<Source, 'name'>, what: string): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_RECEIVE_FAULT',
    `split() of the source ${name} must return a list of requests with "headers" and a "body" of bytes; ${what}`
  )
}
