import type { ErrorObject, ValidateFunction } from 'ajv'

import { excerptOf, type Excerpt } from './excerpt.ts'
import { defaultPayloadPath } from './payload-in.ts'
import { fieldsIn } from './schema-nodes.ts'
import { shorten } from '../model/shorten.ts'

/** One kind of disagreement in one event; never a value. */
export interface Disagreement {
  /** Such as `data.object.items[].sku`; a star stands for a field that the schema does not name. */
  readonly path: string
  /** The keyword of the schema that did not hold, `unknown_type`, or `depth`: it nests too deep to be checked. */
  readonly rule: string
  /** Whose schema it is; empty for the provider's. */
  readonly handler: string
}

/** A compiled schema. */
export interface Rules {
  /** Ends at the first error, so that what it costs is bounded by the size of the payload. */
  readonly holds: ValidateFunction
  /** Finds every error. Compiled when it is first needed. */
  readonly every: () => ValidateFunction
  /** The names that it gives to fields. */
  readonly fields: ReadonlySet<string>
}

/** @param compile makes the function that ends at the first error, or the one that finds all */
export function rulesOf(schema: object, compile: (schema: object, allErrors: boolean) => ValidateFunction): Rules {
  let every: ValidateFunction | undefined
  return { holds: compile(schema, false), every: () => (every ??= compile(schema, true)), fields: fieldsIn(schema) }
}

/** Limits for one payload. Errors beyond are not looked at, and kinds beyond are not counted. */
const mostErrors = 2_000
const mostKinds = 200
/** In characters. A path is remembered, and part of a key in the inbox. */
const longestPath = 256

/**
 * Compares a payload with a schema: the whole payload up to the first error, then an excerpt of limited size for all
 * kinds of disagreement. Collecting all errors of a list of 350,000 wrong items would take seconds, at every retry.
 * @param at where the payload is in the event: paths begin with it
 * @returns each kind once
 */
export function disagreementsOf(
  { holds, every, fields }: Rules,
  object: unknown,
  handler: string,
  at: readonly string[] = defaultPayloadPath
): readonly Disagreement[] {
  try {
    if (holds(object)) return []
    const kinds = new Map<string, Disagreement>()
    // It is found again below, unless the excerpt ends before it.
    const first = withoutBranches(holds.errors ?? [])
    const excerpt = excerptOf(object, fields)
    for (const error of [...errorsIn(excerpt, every()), ...(excerpt.cuts.size === 0 ? [] : first)]) {
      const kind = { path: pathOf(error, fields, at), rule: error.keyword, handler }
      kinds.set(`${kind.path} ${kind.rule}`, kind)
      if (kinds.size === mostKinds) break
    }
    return [...kinds.values()]
  } catch (error) {
    // A schema that refers to itself, and a payload that nests deeper than the stack.
    if (error instanceof RangeError) return [{ path: at.join('.'), rule: 'depth', handler }]
    throw error
  }
}

/** What does not hold in an excerpt and would in the whole: it is about how much is there, */
const ofSize = new Set([
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
/** or follows from something inside. */
const composite = new Set(['anyOf', 'oneOf', 'not', 'if'])

function errorsIn({ value, cuts, around }: Excerpt, every: ValidateFunction): readonly ErrorObject[] {
  every(value)
  const isSure = ({ keyword, instancePath }: ErrorObject): boolean =>
    !(ofSize.has(keyword) && cuts.has(instancePath)) && !(composite.has(keyword) && around.has(instancePath))
  return withoutBranches(every.errors ?? [])
    .slice(0, mostErrors)
    .filter(isSure)
}

/**
 * A choice (`anyOf`, `oneOf`) reports what each of its branches has against the value, and then itself. Keep the
 * reports of the one branch that is for a value of that type: they name the field and the rule. Otherwise keep the
 * report of the choice. Where a branch is a `$ref`, its reports do not show that they are of the choice; they stand
 * before it, and are about the same value.
 */
function withoutBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const kept: ErrorObject[] = []
  for (const error of errors) {
    if (error.keyword === 'anyOf' || error.keyword === 'oneOf') {
      let first = kept.length
      while (first > 0 && isOfBranch(kept[first - 1] as ErrorObject, error)) first -= 1
      for (const each of branchOfType(kept.splice(first), error) ?? [error]) kept.push(each)
    } else kept.push(error)
  }
  return kept
}

/** @returns undefined unless exactly one branch has nothing against the type of the value */
function branchOfType(
  errors: readonly ErrorObject[],
  { schemaPath, instancePath, params }: ErrorObject
): readonly ErrorObject[] | undefined {
  // A `oneOf` of which too many branches hold: what the others report is beside the point.
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

function isOfBranch({ instancePath, schemaPath, keyword }: ErrorObject, choice: ErrorObject): boolean {
  if (schemaPath.startsWith(`${choice.schemaPath}/`)) return true
  if (instancePath !== choice.instancePath) return instancePath.startsWith(`${choice.instancePath}/`)
  // Another rule of the schema that the choice is in.
  return schemaPath !== choice.schemaPath.slice(0, -choice.keyword.length) + keyword
}

/**
 * Every index of a list is one place. A field that the schema does not name is a key of a map, and as much data as
 * its value: an address, say. What is missing, the schema names.
 */
function pathOf(
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
