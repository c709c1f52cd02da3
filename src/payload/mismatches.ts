import type { ErrorObject, ValidateFunction } from 'ajv'

import { makeExcerpt, type Excerpt } from './excerpt.ts'
import { defaultPayloadPath } from './payload-in.ts'
import { fieldNames } from './schema-nodes.ts'
import { shorten } from '../model/shorten.ts'

/** One kind of mismatch in one event. Never holds a value of the payload. */
export interface PayloadMismatch {
  /** For example `data.object.items[].sku`; `*` stands for a field that the schema does not name. */
  readonly path: string
  /** The keyword of the schema that failed; `unknown_type`; or `depth` if the payload nests too deep to be checked. */
  readonly rule: string
  /** The handler whose schema it is; empty for the provider's schema. */
  readonly handler: string
}

/** A compiled schema. */
export interface Rules {
  /** Stops at the first error, so its cost is limited by the size of the payload. */
  readonly holds: ValidateFunction
  /** Finds every error. Compiled at its first use. */
  readonly every: () => ValidateFunction
  /** The field names that the schema uses. */
  readonly fields: ReadonlySet<string>
}

/** @param compile returns the function that stops at the first error, or the one that finds all */
export function compileRules(schema: object, compile: (schema: object, allErrors: boolean) => ValidateFunction): Rules {
  let every: ValidateFunction | undefined
  return { holds: compile(schema, false), every: () => (every ??= compile(schema, true)), fields: fieldNames(schema) }
}

/** Limits for one payload. Further errors are not examined, and further kinds are not counted. */
const mostErrors = 2_000
const mostKinds = 200
/** In characters. A path is kept in memory and is part of a key in the inbox. */
const longestPath = 256

/**
 * Compares a payload with a schema: the whole payload up to the first error, then a limited excerpt for all kinds of
 * mismatch. Collecting all errors of a list of 350,000 wrong items would take seconds, at every retry.
 * @param at where the event holds the payload; reported paths begin with it
 * @returns each kind once
 */
export function findMismatches(
  { holds, every, fields }: Rules,
  object: unknown,
  handler: string,
  at: readonly string[] = defaultPayloadPath
): readonly PayloadMismatch[] {
  try {
    if (holds(object)) return []
    const kinds = new Map<string, PayloadMismatch>()
    // The excerpt reports it again, unless it was cut before this place.
    const first = withoutBranches(holds.errors ?? [])
    const excerpt = makeExcerpt(object, fields)
    for (const error of [...errorsIn(excerpt, every()), ...(excerpt.cuts.size === 0 ? [] : first)]) {
      const kind = { path: reportedPath(error, fields, at), rule: error.keyword, handler }
      kinds.set(`${kind.path} ${kind.rule}`, kind)
      if (kinds.size === mostKinds) break
    }
    return [...kinds.values()]
  } catch (error) {
    // The schema refers to itself, and the payload nests deeper than the stack.
    if (error instanceof RangeError) return [{ path: at.join('.'), rule: 'depth', handler }]
    throw error
  }
}

/** Keywords that may fail only because the excerpt was shortened here ... */
const shortenable = new Set([
  'required',
  'minItems',
  'contains',
  'minContains',
  'minProperties',
  'dependencies',
  'dependentRequired',
  'unevaluatedItems',
  'unevaluatedProperties'
])
/** ... or because it was shortened somewhere inside. */
const composite = new Set(['anyOf', 'oneOf', 'not', 'if'])

function errorsIn({ value, cuts, around }: Excerpt, every: ValidateFunction): readonly ErrorObject[] {
  every(value)
  const isSure = ({ keyword, instancePath }: ErrorObject): boolean =>
    !(shortenable.has(keyword) && cuts.has(instancePath)) && !(composite.has(keyword) && around.has(instancePath))
  return withoutBranches(every.errors ?? [])
    .slice(0, mostErrors)
    .filter(isSure)
}

/**
 * Reduces the errors of a choice (`anyOf`, `oneOf`), for which ajv reports the errors of all branches and then the
 * choice. Keeps the errors of a branch if it is the only one for a value of that type, because they name the field and
 * the keyword. Otherwise keeps the error of the choice. The errors of a branch that is a `$ref` do not name the choice:
 * they are recognised because they come before it and concern the same value.
 */
function withoutBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const kept: ErrorObject[] = []
  for (const error of errors) {
    if (error.keyword === 'anyOf' || error.keyword === 'oneOf') {
      let first = kept.length
      while (first > 0 && belongsToBranch(kept[first - 1] as ErrorObject, error)) first -= 1
      for (const each of branchOfType(kept.splice(first), error) ?? [error]) kept.push(each)
    } else kept.push(error)
  }
  return kept
}

/** @returns undefined unless exactly one branch accepts the type of the value */
function branchOfType(
  errors: readonly ErrorObject[],
  { schemaPath, instancePath, params }: ErrorObject
): readonly ErrorObject[] | undefined {
  // Too many branches of a `oneOf` match, so the errors of the others explain nothing.
  if ((params as { passingSchemas?: unknown }).passingSchemas) return undefined
  const prefix = `${schemaPath}/`
  const branches = Map.groupBy(
    errors.filter((error) => error.schemaPath.startsWith(prefix)),
    (error) => parseInt(error.schemaPath.slice(prefix.length), 10)
  )
  const fitting = [...branches.values()].filter(
    (branch) => !branch.some((error) => error.keyword === 'type' && error.instancePath === instancePath)
  )
  return fitting.length === 1 ? fitting[0] : undefined
}

function belongsToBranch({ instancePath, schemaPath, keyword }: ErrorObject, choice: ErrorObject): boolean {
  if (schemaPath.startsWith(`${choice.schemaPath}/`)) return true
  if (instancePath !== choice.instancePath) return instancePath.startsWith(`${choice.instancePath}/`)
  // False for another keyword of the schema that contains the choice.
  return schemaPath !== choice.schemaPath.slice(0, -choice.keyword.length) + keyword
}

/**
 * Makes all indexes of a list one place. A field that the schema does not name is a key of a map, and may be personal
 * data such as an address, so it becomes `*`. A missing field is always named by the schema.
 */
function reportedPath(
  { instancePath, keyword, params }: ErrorObject,
  fields: ReadonlySet<string>,
  at: readonly string[]
): string {
  const steps = instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const missing = keyword === 'required' ? [(params as { missingProperty: string }).missingProperty] : []
  const path = [...steps, ...missing].reduce((before, step) => {
    if (before.length > longestPath) return before
    if (fields.has(step)) return `${before}.${step}`
    return /^\d+$/.test(step) ? `${before}[]` : `${before}.*`
  }, at.join('.'))
  return shorten(path.replace(/^\./, ''), longestPath)
}
