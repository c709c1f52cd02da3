import { RiverhookError } from '../../model/errors.ts'
import {
  isFunction,
  isListOf,
  isNumber,
  isObject,
  isObjectOf,
  isOneOf,
  isPlainObject,
  isSpan,
  isText,
  optionProblems,
  joinProblems,
  type OptionRule,
  type OptionRules
} from '../../model/option-rules.ts'
import { algorithms, encodings, keyEncodings, timestampFormats, type HmacSourceOptions } from './hmac-options.ts'
import { parseTemplate, templateProblem, uses } from './template.ts'

const isHeaderName: OptionRule = {
  expected: 'the name of a header, such as "X-Signature"',
  accepts: (value) => typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(value)
}
const isPath: OptionRule = {
  expected: 'the path of a field of the body, such as "data.id"',
  accepts: (value) => typeof value === 'string' && value.split('.').every((key) => key !== '')
}
const isTexts = isListOf(isText, 'a list of texts that are not empty')
const isMediaType: OptionRule = {
  expected: 'a media type',
  accepts: (value) => typeof value === 'string' && /^(?:\*|[\w!#$&^.+-]+\/[\w!#$&^.+-]+)$/.test(value)
}
const isMethod: OptionRule = {
  expected: 'a method',
  accepts: (value) => typeof value === 'string' && /^[A-Z]+$/.test(value)
}
const isHeaderNames = isListOf(isHeaderName, 'a list of the names of headers')

/** @param more another accepted value */
function isPlace(more?: string): OptionRule {
  const choices = [
    "{ header: 'NAME' }",
    "{ field: 'PATH' }",
    ...(more === undefined ? [] : [`'${more}'`]),
    'a function'
  ]
  return {
    expected: `${choices.slice(0, -1).join(', ')} or ${choices.at(-1) ?? ''}`,
    accepts: (value) =>
      typeof value === 'function' || value === more || (isPlainObject(value) && Object.keys(value).length === 1),
    fields: { header: isHeaderName, field: isPath }
  }
}

const isPrefix: OptionRule = {
  expected: 'a text that is not empty, and begins with no white space, because a signature is trimmed',
  accepts: (value) => typeof value === 'string' && /^[\x21-\x7e][\x20-\x7e]*$/.test(value)
}
const isSeparator: OptionRule = {
  expected: 'a text that is not empty, and holds no character of a signature',
  accepts: (value) => typeof value === 'string' && value !== '' && !/[A-Za-z0-9+/=_-]/.test(value)
}
const isFieldName: OptionRule = {
  expected: 'the name of a field, such as "v1"',
  accepts: (value) => typeof value === 'string' && /^[^\s=,;]+$/.test(value)
}

const descriptionRules: OptionRules<HmacSourceOptions> = {
  name: isText,
  header: {
    expected: 'the name of a header, such as "X-Signature", or a list of at least one',
    accepts: (value) =>
      isHeaderName.accepts(value) || (isHeaderNames.accepts(value) && (value as readonly string[]).length > 0)
  },
  algorithm: isOneOf(...algorithms),
  encoding: isOneOf(...encodings),
  prefix: isPrefix,
  separator: isSeparator,
  fields: isObjectOf({ signature: isFieldName, timestamp: isFieldName }, 'an object such as { signature: "v1" }', [
    'signature'
  ]),
  timestampHeader: isHeaderName,
  timestampFormat: isOneOf(...timestampFormats),
  signed: {
    expected: 'a template such as "{timestamp}.{body}"',
    accepts: (value) => typeof value === 'string' && templateProblem(value) === undefined,
    problem: (value) => (typeof value === 'string' ? templateProblem(value) : undefined)
  },
  key: isObjectOf({ encoding: isOneOf(...keyEncodings), prefix: isText }, 'an object such as { encoding: "base64" }', [
    'encoding'
  ]),
  tolerance: isSpan({ min: '1ms', max: '365d' }),
  id: isPlace('digest'),
  type: isPlace(),
  createdTime: isPlace(),
  liveMode: isObjectOf({ field: isPath }, "{ field: 'PATH' }", ['field']),
  form: isFieldName,
  event: isFunction,
  keys: isListOf(isPath, 'a list of paths in the event, such as ["payload.order.id"]'),
  keysOf: isFunction,
  redact: isListOf(isPath, 'a list of paths in the body, such as ["data.**.email"]'),
  sentHeaders: isFunction,
  sample: isFunction,
  types: isTexts,
  withdrawnTypes: isTexts,
  inferredTypes: isTexts,
  schemaOf: isFunction,
  payloadPath: isTexts,
  keep: isHeaderNames,
  mediaTypes: isListOf(isMediaType, 'a list of media types without parameters, such as "text/plain", or "*"'),
  methods: isListOf(isMethod, 'a list of HTTP methods in capitals, such as "GET"'),
  greet: isFunction,
  split: isFunction,
  answer: isFunction,
  signatureHeaders: isHeaderNames,
  secretSteps: isText,
  limits: isObjectOf(
    { answerMs: isNumber(1), retryMs: isNumber(0), bodyBytes: isNumber(1), toleranceMs: isNumber(1) },
    'an object such as { answerMs: 5000 }'
  ),
  requestOf: isFunction,
  registration: isObject,
  api: isFunction
}

/** Names that other libraries use for these options. */
const synonyms = {
  signatureHeader: 'header',
  headerName: 'header',
  hash: 'algorithm',
  digest: 'encoding',
  signatureEncoding: 'encoding',
  payload: 'signed',
  template: 'signed',
  signedContent: 'signed',
  secretEncoding: 'key',
  eventId: 'id',
  eventType: 'type',
  timestamp: 'timestampHeader'
}

/** The rules of the options of a source that fixes the others. */
export function rulesWithout(...fixed: readonly (keyof HmacSourceOptions)[]): Readonly<Record<string, OptionRule>> {
  return Object.fromEntries(Object.entries(descriptionRules).filter(([name]) => !fixed.some((each) => each === name)))
}

/**
 * Checks a description of how a provider signs.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names every wrong field
 */
export function checkDescription(given: unknown): void {
  const wrong = optionProblems(descriptionRules, given, '', ['name', 'header', 'id', 'type'], synonyms)
  const lines =
    wrong.length > 0 || !isPlainObject(given) ? wrong : contradictions(given as unknown as HmacSourceOptions)
  if (lines.length === 0) return
  const { name } = isPlainObject(given) ? given : {}
  const subject = typeof name === 'string' && name !== '' ? `hmacSource "${name.slice(0, 100)}"` : 'hmacSource'
  throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `${subject}: ${joinProblems(lines)}`)
}

/** Credentials that are not the provider's: they may be somebody's password. */
const credentials = ['authorization', 'proxy-authorization', 'cookie']

/** Finds options that are valid separately but not together. */
function contradictions({
  fields,
  timestampHeader,
  timestampFormat,
  signed = '{body}',
  id,
  type,
  createdTime,
  prefix,
  separator = fields === undefined ? undefined : ',',
  tolerance,
  keep = [],
  keys,
  keysOf,
  header,
  signatureHeaders = []
}: HmacSourceOptions): readonly string[] {
  const template = parseTemplate(signed)
  const signsTime = uses(template, 'timestamp')
  const found: string[] = []
  if (timestampHeader !== undefined && fields?.timestamp !== undefined)
    found.push('options "timestampHeader" and "fields.timestamp" exclude each other: the time is in one place')
  const place = timestampHeader === undefined ? 'fields.timestamp' : 'timestampHeader'
  const hasTime = timestampHeader !== undefined || fields?.timestamp !== undefined
  if (signsTime && !hasTime)
    found.push('option "signed" holds {timestamp}: say where the time is, with "timestampHeader" or "fields.timestamp"')
  if (hasTime && !signsTime)
    found.push(`option "${place}" is a time that anybody can change: "signed" must hold {timestamp}, or leave it out`)
  if (!hasTime && timestampFormat !== undefined)
    found.push('option "timestampFormat" has no effect without "timestampHeader" or "fields.timestamp"')
  if (!signsTime && tolerance !== undefined)
    found.push('option "tolerance" has no effect: no time is signed, so none can be judged')
  if (uses(template, 'id') && !(typeof id === 'object' && 'header' in id))
    found.push('option "signed" holds {id}: "id" must be { header: \'NAME\' }, the header that is signed')
  if (keys !== undefined && keysOf !== undefined)
    found.push('options "keys" and "keysOf" exclude each other: give the paths, or the function')
  if (fields !== undefined && fields.signature === fields.timestamp)
    found.push('options "fields.signature" and "fields.timestamp" must differ: one field is not both')
  if (prefix !== undefined && separator !== undefined && prefix.includes(separator))
    found.push('option "prefix" must not hold the "separator": the header is split there, so no signature would match')
  const signatures = [header, signatureHeaders].flat().map((name) => name.toLowerCase())
  if (timestampHeader !== undefined && signatures.includes(timestampHeader.toLowerCase()))
    found.push('option "timestampHeader" must not be the header of the signature: use "fields" for a header of both')
  const stored = [
    ...keep.map((name) => ['keep', name] as const),
    ...Object.entries({ id, type, createdTime }).flatMap(([option, place]) =>
      typeof place === 'object' && 'header' in place ? [[`${option}.header`, place.header] as const] : []
    )
  ]
  for (const [option, name] of stored) {
    if (signatures.includes(name.toLowerCase()))
      found.push(`option "${option}" must not hold "${name}": a signature is not stored with the event`)
    if (credentials.includes(name.toLowerCase()))
      found.push(`option "${option}" must not hold "${name}": credentials are not stored with the event`)
  }
  return found
}
