import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { closest } from 'fastest-levenshtein'

import { RiverhookError } from '../../../model/errors.ts'

// verbose: the schema that did not hold comes with the error, and its description says what is wanted. The schemas
// are our own: they are held to the rules of schemas by the compiler and by tests, not at every start.
const ajv = new Ajv({ strict: true, verbose: true, meta: false, validateSchema: false })

/**
 * A check against a schema, which is compiled when it is first used.
 * @param what names the value in the message, for example `The webhook`
 * @returns a function that gives a copy of the value, without the fields that are undefined
 * @throws {RiverhookError} (the function) RIVERHOOK_OPTIONS_INVALID with the field and the rule, never a value
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what the schema holds of a value, its caller knows
export function checker<Value>(schema: object, what: string): (value: unknown) => Value {
  let compiled: ValidateFunction<Value> | undefined
  return (value) => {
    const holds = (compiled ??= ajv.compile<Value>(schema))
    const given = withoutUndefined(value)
    if (holds(given)) return given
    throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', `${what}: ${describe(holds.errors?.[0])}`)
  }
}

/** A new value: what `undefined` stands for is "not given", also where JSON Schema would count the field. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined)
  if (typeof value !== 'object' || value === null) return value
  const given = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(given.map(([name, field]) => [name, withoutUndefined(field)]))
}

function describe(error: ErrorObject | undefined): string {
  if (error === undefined) return 'it is wrong'
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
      return `${inside(name)} is unknown. Did you mean "${closest(name, known)}"? Known are: ${known.join(', ')}`
    }
    case 'minProperties':
      return `${field} is empty`
    default:
      return `${field} ${schema?.description === undefined ? (error.message ?? 'is wrong') : `must be ${schema.description}`}`
  }
}
