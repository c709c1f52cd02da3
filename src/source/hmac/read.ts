import { createHash } from 'node:crypto'

import { isPlainObject } from '../../model/option-rules.ts'
import type { AnyEvent, KeptHeaders } from '../../model/event.ts'
import { ignoreRejection, isThenable } from '../../model/not-begun.ts'
import { parseJson } from '../parse-json.ts'
import type { Reading, SourceRequest } from '../source.ts'
import type { FoundEvent, HmacSourceOptions, JsonObject, Place } from './hmac-options.ts'

type Refused = Extract<Reading, { ok: false }>
type Found = { readonly ok: true; readonly value: unknown } | Refused

/** Returns a function that reads the event in a request. It never throws. */
export function reader<E extends AnyEvent>(
  description: Pick<HmacSourceOptions<E>, 'id' | 'type' | 'createdTime' | 'liveMode' | 'form' | 'event'>
): (request: SourceRequest) => Reading<E> {
  const { id, type, createdTime, liveMode, form } = description
  const makeEvent =
    description.event ?? (defaultEvent(isEventTheBody(description)) as NonNullable<HmacSourceOptions<E>['event']>)
  return ({ headers: given, body: bytes }) => {
    const parsed = parseBody(bytes, form)
    if (!parsed.ok) return parsed
    const body = parsed.value
    if (!isPlainObject(body)) return bad('The body must be a JSON object')
    const headers = given as KeptHeaders
    const foundId = id === 'digest' ? digest(bytes) : identity('id', id, body, headers)
    if (!foundId.ok) return foundId
    const foundType = identity('type', type, body, headers)
    if (!foundType.ok) return foundType
    const time = createdTime === undefined ? undefined : valueAt('createdTime', createdTime, body, headers)
    if (time?.ok === false) return time
    const created = readTime(time?.value)
    const live = liveMode === undefined ? undefined : fieldIn(body, liveMode.field)
    const found: FoundEvent = {
      id: foundId.value as string,
      type: foundType.value as string,
      ...(created === undefined ? {} : { createdTime: created }),
      ...(typeof live === 'boolean' ? { liveMode: live } : {}),
      headers
    }
    const made = called('event', () => makeEvent(body, found))
    return made.ok ? { ok: true, event: made.value as E } : made
  }
}

function defaultEvent(isBody: boolean): (body: JsonObject, found: FoundEvent) => AnyEvent {
  return (body, { headers: _headers, ...found }) => (isBody ? { ...body, ...found } : { ...found, payload: body })
}

/** Whether the event is the body itself: the body has the id and the type in their usual fields. */
export function isEventTheBody({ id, type }: Pick<HmacSourceOptions, 'id' | 'type'>): boolean {
  return isField(id, 'id') && isField(type, 'type')
}

function isField(place: Place | 'digest', field: string): boolean {
  return typeof place === 'object' && 'field' in place && place.field === field
}

function parseBody(bytes: Uint8Array, form: string | undefined): Found {
  if (form === undefined || !looksLikeForm(bytes)) return parseJson(bytes)
  const fields = Buffer.from(bytes).toString('latin1').split('&')
  const field = fields.find((each) => each.startsWith(`${form}=`))
  if (field === undefined) return bad(`The form lacks the field "${form}"`)
  try {
    // Refuses invalid UTF-8, which URLSearchParams would accept.
    return parseJson(Buffer.from(decodeURIComponent(field.slice(form.length + 1).replaceAll('+', ' '))))
  } catch {
    return { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENCODING', message: 'The form is not percent-encoded UTF-8' }
  }
}

/** No JSON text begins with a name and an equals sign. */
function looksLikeForm(bytes: Uint8Array): boolean {
  return /^[\w.%+-]{1,100}=/.test(Buffer.from(bytes.subarray(0, 101)).toString('latin1'))
}

function digest(bytes: Uint8Array): Found {
  return { ok: true, value: createHash('sha256').update(bytes).digest('hex') }
}

/** The id or the type: a text, or a number without loss of precision. */
function identity(what: 'id' | 'type', place: Place, body: JsonObject, headers: KeptHeaders): Found {
  const found = valueAt(what, place, body, headers)
  if (!found.ok) return found
  const { value } = found
  if (typeof value === 'string' && value !== '') return found
  if (typeof value === 'number' && Number.isSafeInteger(value)) return { ok: true, value: String(value) }
  if (typeof place === 'function') return bad(`The Event has no "${what}" that the source finds`)
  if ('header' in place)
    return bad(`The request lacks the header "${place.header}", which is the "${what}" of the Event`)
  return bad(
    value === undefined
      ? `The Event lacks the field "${place.field}"`
      : `The Event's field "${place.field}" must be a text that is not empty, or a whole number that is exact`
  )
}

function valueAt(what: string, place: Place, body: JsonObject, headers: KeptHeaders): Found {
  if (typeof place === 'object') {
    const value = 'header' in place ? headers[place.header.toLowerCase()] : fieldIn(body, place.field)
    return { ok: true, value }
  }
  return called(what, () => place(body, headers))
}

/** Calls a function of the description. Refuses a promise: it is not awaited, and an error in it would be lost. */
function called(what: string, call: () => unknown): Found {
  try {
    const value = call()
    if (!isThenable(value)) return { ok: true, value }
    ignoreRejection(value)
    return bad(`The function "${what}" of the source returned a promise: it must not be async`)
  } catch (error) {
    return threw(what, error)
  }
}

function fieldIn(body: JsonObject, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Readonly<Record<string, unknown>>)[key]
          : undefined,
      body
    )
}

/** Omits a time that cannot be stored: the event is more important than its time. */
function readTime(value: unknown): string | undefined {
  if (typeof value === 'string')
    return value !== '' && value.length <= 256 && value.isWellFormed() && !value.includes('\0') ? value : undefined
  if (typeof value !== 'number') return undefined
  const at = new Date(value < 1e11 ? value * 1_000 : value)
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString()
}

/** A function of the description threw. The text of its error may hold a value of the body. */
function threw(what: string, error: unknown): Refused {
  const name = error instanceof Error ? error.name : 'an error'
  return bad(`The function "${what}" of the source threw ${name} for this body`)
}

function bad(message: string): Refused {
  return { ok: false, code: 'RIVERHOOK_RECEIVE_BAD_ENVELOPE', message }
}
