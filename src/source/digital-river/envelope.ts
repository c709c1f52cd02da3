import type { ErrorObject, ValidateFunction } from 'ajv'

import { identityFault } from '../../model/event.ts'
import { newAjv } from '../../model/new-ajv.ts'
import { parseJson } from '../parse-json.ts'
import type { Reading, SourceRequest } from '../source.ts'
import type { DigitalRiverEvent } from './event.ts'

/**
 * The schema of an event, no stricter than what is sent: ids are opaque, the types are an open set, `data.object` may
 * be empty, and further fields are allowed. (Derived from 41 sample events in the provider's documentation.)
 */
const schema = {
  type: 'object',
  properties: {
    id: { type: 'string', minLength: 1 },
    type: { type: 'string', minLength: 1 },
    data: {
      type: 'object',
      properties: { object: { type: 'object' } },
      required: ['object']
    },
    liveMode: { type: 'boolean' },
    createdTime: { type: 'string', instant: true }
  },
  required: ['id', 'type', 'data', 'liveMode', 'createdTime']
} as const

function compile(): ValidateFunction<DigitalRiverEvent> {
  // Skip the validation of the schema itself: it is our own.
  const ajv = newAjv({ strict: true, meta: false, validateSchema: false, code: { optimize: false } })
  ajv.addKeyword({
    keyword: 'instant',
    type: 'string',
    schemaType: 'boolean',
    validate: (_on: boolean, text: string) => isInstant(text)
  })
  return ajv.compile<DigitalRiverEvent>(schema)
}

// Compile for the first event: most commands read none.
let compiled: ValidateFunction<DigitalRiverEvent> | undefined

/** Reads the event in a body: strict UTF-8, JSON without prototype poisoning, the schema above. Never throws. */
export function readEnvelope({ body }: SourceRequest): Reading<DigitalRiverEvent> {
  const parsed = parseJson(body)
  if (!parsed.ok) return parsed
  const { value } = parsed
  const holds = (compiled ??= compile())
  const message = holds(value) ? identityFault(value) : describe(holds.errors?.[0])
  return message === undefined
    ? { ok: true, event: value as DigitalRiverEvent }
    : { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE', message }
}

const instant =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])(?::[0-5]\d){2}(?:\.\d+)?(?:Z|[+-]00:?00)$/

/**
 * ISO 8601 in UTC, with any number of fraction digits or none. It runs for every request: parsing a Date and formatting
 * it again would cost five times as much.
 */
function isInstant(text: string): boolean {
  if (!instant.test(text)) return false
  const day = Number(text.slice(8, 10))
  return day <= 28 || day <= lastDay(Number(text.slice(0, 4)), Number(text.slice(5, 7)))
}

/** @param month from 1 */
function lastDay(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function describe(error: ErrorObject | undefined): string {
  if (error === undefined) return 'The body is not an Event'
  const field = error.instancePath.slice(1).replaceAll('/', '.')
  switch (error.keyword) {
    case 'required': {
      const { missingProperty } = error.params as { missingProperty: string }
      return `The Event lacks the field "${field === '' ? '' : `${field}.`}${missingProperty}"`
    }
    case 'instant':
      return `The Event's field "${field}" must be an ISO 8601 instant in UTC, such as 2026-01-31T12:00:00.123Z`
    case 'minLength':
      return `The Event's field "${field}" must not be empty`
    default:
      return field === ''
        ? 'The body must be a JSON object, the Event'
        : `The Event's field "${field}" ${error.message ?? 'is wrong'}`
  }
}
