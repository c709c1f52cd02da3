import type { Ajv, ErrorObject, ValidateFunction } from 'ajv'

import { RiverhookError } from '../../../model/errors.ts'
import { didYouMean } from '../../../model/nearest.ts'
import { newAjv } from '../../../model/new-ajv.ts'
import { joinProblems } from '../../../model/option-rules.ts'

/** Created for the first check. */
let ajv: Ajv | undefined
// verbose: the error has the schema that failed, whose description says what is expected. The schemas are our own, so
// the compiler and the tests validate them, not every start.
const settings = { strict: true, allErrors: true, verbose: true, meta: false, validateSchema: false } as const

/**
 * A check against a schema, which is compiled on first use.
 * @param schema returns it: it is read on first use too
 * @param what names the value in the message, for example `The webhook`
 * @returns a function that returns a copy of the value, without the fields that are undefined
 * @throws {RiverhookError} (the function) RIVERHOOK_OPTIONS_INVALID with the field and the rule, never a value
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows the checked type
export function checker<Value>(schema: () => object, what: string): (value: unknown) => Value {
  let compiled: ValidateFunction<Value> | undefined
  return (value) => {
    const holds = (compiled ??= (ajv ??= newAjv(settings)).compile<Value>(schema()))
    const given = withoutUndefined(value)
    if (holds(given)) return given
    throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `${what}: ${joinProblems(describeAll(holds.errors ?? []))}`)
  }
}

/** Copies a value without the fields that are undefined: they count as missing, also for JSON Schema. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined)
  if (typeof value !== 'object' || value === null) return value
  const given = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(given.map(([name, field]) => [name, withoutUndefined(field)]))
}

/** Describes the first error of each field. */
function describeAll(errors: readonly ErrorObject[]): readonly string[] {
  const byField = new Map<string, string>()
  for (const error of errors) {
    const { missingProperty = '', additionalProperty = '' } = error.params as Readonly<Record<string, string>>
    const field = `${error.instancePath}/${missingProperty}${additionalProperty}`
    if (!byField.has(field)) byField.set(field, describe(error))
  }
  return [...byField.values()]
}

function describe(error: ErrorObject): string {
  const place = error.instancePath.slice(1).replaceAll('/', '.')
  const field = place === '' ? 'it' : `"${place}"`
  const inside = (name: unknown) => `"${place === '' ? '' : `${place}.`}${String(name)}"`
  const schema = error.parentSchema as { description?: string; properties?: Record<string, unknown> } | undefined
  switch (error.keyword) {
    case 'required':
      return `it lacks ${inside(error.params['missingProperty'])}`
    case 'additionalProperties': {
      const name = String(error.params['additionalProperty'])
      const known = Object.keys(schema?.properties ?? {})
      return `${inside(name)} is unknown${didYouMean(name, known, { otherwise: '.' })} Known are: ${known.join(', ')}`
    }
    case 'minProperties':
      return `${field} is empty`
    default:
      return `${field} ${schema?.description === undefined ? (error.message ?? 'is wrong') : `must be ${schema.description}`}`
  }
}
