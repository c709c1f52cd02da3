import type { Precheck, SourceRequest } from '../source.ts'
import type { HmacSourceOptions, HmacTimestampFormat } from './hmac-options.ts'
import type { Scheme, SignatureKind } from './scheme.ts'
import { parseTemplate, uses } from './template.ts'

/** Limits of the work for an unauthenticated request, in characters. Real headers have a few hundred. */
const longestHeader = 4_096
const longestTime = 64
const longestId = 256

/** The values in the headers of a request. */
export type SignedHeaders =
  | {
      readonly ok: true
      /** The signatures by kind, without their prefixes. */
      readonly signatures: ReadonlyMap<SignatureKind, readonly string[]>
      readonly count: number
      /** The exact text, which is what is signed. Empty if no time is signed. */
      readonly timestamp: string
      /** Undefined if no time is signed, or if it cannot be read. */
      readonly at: Date | undefined
      /** Empty if no id is signed. */
      readonly id: string
    }
  | Extract<Precheck, { ok: false }>

type Description = Pick<
  HmacSourceOptions,
  'header' | 'separator' | 'fields' | 'timestampHeader' | 'timestampFormat' | 'signed' | 'id'
>

/** Returns a function that reads the headers needed to verify a request. It never throws. */
export function headersReader(
  description: Description,
  scheme: Pick<Scheme, 'expected' | 'kinds'>
): (request: SourceRequest) => SignedHeaders {
  const { fields, timestampHeader, timestampFormat = 'seconds', signed = '{body}', id } = description
  const names = [description.header].flat()
  const separator = description.separator ?? (fields === undefined ? undefined : ',')
  const idHeader = typeof id === 'object' && 'header' in id && uses(parseTemplate(signed), 'id') ? id.header : undefined
  const shown = names.join(' or ')
  const malformed = (name: string, what: string): SignedHeaders => ({
    ok: false,
    reason: 'malformed_header',
    detail: `the ${name} header is malformed: ${what}`
  })
  const missing = (name: string): SignedHeaders => ({
    ok: false,
    reason: 'no_header',
    detail: `the request has no ${name} header`
  })

  return ({ headers }) => {
    const values = names.flatMap((name) => headers[name.toLowerCase()] ?? []).filter((value) => value !== '')
    if (values.length === 0) return missing(shown)
    if (values.reduce((sum, { length }) => sum + length, 0) > longestHeader)
      return malformed(shown, `it is longer than ${longestHeader} characters`)
    const items = values.flatMap((value) => (separator === undefined ? value : value.split(separator)))
    const found = { signatures: items.map((item) => item.trim()), times: [] as readonly string[] }
    if (fields !== undefined) {
      const pairs = items.map(fieldIn)
      found.signatures = valuesOf(pairs, fields.signature)
      if (fields.timestamp !== undefined) found.times = valuesOf(pairs, fields.timestamp)
    }

    const signatures = new Map<SignatureKind, readonly string[]>()
    let count = 0
    for (const kind of scheme.kinds) {
      const texts = found.signatures
        .filter((text) => text.startsWith(kind.prefix))
        .map((text) => text.slice(kind.prefix.length))
        .filter((text) => kind.pattern.test(text))
      if (texts.length > kind.most) return malformed(shown, `it has more than ${kind.most} signatures`)
      signatures.set(kind, texts)
      count += texts.length
    }
    if (count === 0) {
      const field = fields === undefined ? '' : `${fields.signature}=`
      return malformed(shown, `it has no signature of the form ${field}${scheme.expected}`)
    }

    let timestamp = ''
    if (timestampHeader !== undefined) {
      timestamp = one(headers[timestampHeader.toLowerCase()])
      if (timestamp === '') return missing(timestampHeader)
      if (timestamp.length > longestTime)
        return malformed(timestampHeader, `it is longer than ${longestTime} characters`)
    } else if (fields?.timestamp !== undefined) {
      const [first, second] = found.times
      const what = `its field "${fields.timestamp}"`
      if (first === undefined || second !== undefined || first === '' || first.length > longestTime)
        return malformed(shown, `${what} must be there once, with a time of at most ${longestTime} characters`)
      timestamp = first
    }

    const signedId = idHeader === undefined ? '' : one(headers[idHeader.toLowerCase()])
    if (idHeader !== undefined) {
      if (signedId === '') return missing(idHeader)
      if (signedId.length > longestId) return malformed(idHeader, `it is longer than ${longestId} characters`)
    }
    const at = timestamp === '' ? undefined : readTime(timestamp, timestampFormat)
    return { ok: true, signatures, count, timestamp, at, id: signedId }
  }
}

function one(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : (value ?? []).join(', ')
}

function fieldIn(item: string): readonly [name: string, value: string] {
  const equals = item.indexOf('=')
  return equals === -1 ? [item.trim(), ''] : [item.slice(0, equals).trim(), item.slice(equals + 1).trim()]
}

function valuesOf(pairs: readonly (readonly [name: string, value: string])[], wanted: string): string[] {
  return pairs.filter(([name]) => name === wanted).map(([, value]) => value)
}

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/

/** @returns undefined for a text that is not a time in this format */
function readTime(text: string, format: HmacTimestampFormat): Date | undefined {
  const isRight = format === 'iso' ? iso.test(text) : /^\d{1,16}$/.test(text)
  if (!isRight) return undefined
  const at = new Date(format === 'iso' ? text : format === 'seconds' ? Number(text) * 1_000 : Number(text))
  return Number.isNaN(at.getTime()) ? undefined : at
}

/** The time in the provider's format. */
export function writeTime(at: Date, format: HmacTimestampFormat = 'seconds'): string {
  if (format === 'iso') return at.toISOString()
  return String(format === 'seconds' ? Math.floor(at.getTime() / 1_000) : at.getTime())
}
