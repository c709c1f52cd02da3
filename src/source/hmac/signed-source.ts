import type { AnyEvent } from '../../model/event.ts'
import { msOf } from '../../model/span.ts'
import { valuesAt } from '../../model/values-at.ts'
import type { Precheck, SignInput, Source, SourceRequest } from '../source.ts'
import type { HmacSourceOptions } from './hmac-options.ts'
import { isEventTheBody, reader } from './read.ts'
import { headersReader } from './read-header.ts'
import type { Scheme } from './scheme.ts'
import { sampler } from './sample.ts'
import { signer } from './sign.ts'
import { parseTemplate, uses } from './template.ts'
import { makePrecheck, makeVerifier, type SyncVerifier } from './verify.ts'

/** The parts that are more precise than the contract. */
export interface HmacSource<E extends AnyEvent = AnyEvent> extends Source<E> {
  readonly keep: readonly string[]
  readonly signatureHeaders: readonly string[]
  verifier(secrets: readonly string[]): SyncVerifier
  precheck(request: SourceRequest): Precheck
  sign(input: SignInput): Record<string, string>
}

/** Makes a source from a checked description, for signatures of any scheme. */
export function signedSource<E extends AnyEvent>(options: HmacSourceOptions<E>, scheme: Scheme): HmacSource<E> {
  const template = parseTemplate(options.signed ?? '{body}')
  const { id, type, createdTime, form, tolerance, limits, keep = [], mediaTypes = [], signatureHeaders = [] } = options
  const verification = {
    scheme,
    template,
    signsTime: uses(template, 'timestamp'),
    readHeaders: headersReader(options, scheme)
  }
  const read = reader(options)
  const sign = signer(options, scheme, template)
  const sample = sampler(options)
  const precheck = makePrecheck(verification)
  const places = [id, type, createdTime].flatMap((place) =>
    typeof place === 'object' && 'header' in place ? [place.header] : []
  )
  const hasPayload = options.event === undefined && !isEventTheBody(options)
  const source: HmacSource<E> = {
    ...(hasPayload ? { payloadPath: ['payload'] } : {}),
    ...passedOn(options),
    name: options.name,
    types: options.types ?? [],
    keep: lowered([...places, ...keep]),
    signatureHeaders: lowered([...[options.header].flat(), ...signatureHeaders]),
    mediaTypes: form === undefined ? mediaTypes : [...mediaTypes, 'application/x-www-form-urlencoded'],
    limits: tolerance === undefined ? limits : { ...limits, toleranceMs: msOf(tolerance) },
    verifier: (secrets) => makeVerifier(verification, secrets),
    precheck,
    read,
    sign,
    ...(sample === undefined ? {} : { sample }),
    ...(options.keys === undefined ? {} : { keysOf: valuesAt(options.keys) })
  }
  return Object.freeze(source)
}

const passed = [
  'withdrawnTypes',
  'inferredTypes',
  'schemaOf',
  'payloadPath',
  'keysOf',
  'redact',
  'methods',
  'greet',
  'split',
  'answer',
  'secretSteps',
  'requestOf',
  'registration',
  'api'
] as const

/** Returns the given members. An undefined option counts as not given. */
function passedOn(options: Pick<HmacSourceOptions, (typeof passed)[number]>): Partial<Source> {
  return Object.fromEntries(passed.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]))
}

function lowered(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))]
}
