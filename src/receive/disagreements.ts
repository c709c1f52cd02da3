import type { ErrorObject, ValidateFunction } from 'ajv'

import { fieldsIn } from './schema-nodes.ts'

/** One kind of disagreement in one event; never a value. */
export interface Disagreement {
  /** Such as `data.object.items[].sku`; a star stands for a field that the schema does not name. */
  readonly path: string
  /** The keyword of the schema that did not hold, or `unknown_type`. */
  readonly rule: string
  /** Whose schema it is; empty for the provider's. */
  readonly handler: string
}

/** A compiled schema. */
export interface Rules {
  readonly holds: ValidateFunction
  /** The names that it gives to fields. */
  readonly fields: ReadonlySet<string>
}

export function rulesOf(schema: object, compile: (schema: object) => ValidateFunction): Rules {
  return { holds: compile(schema), fields: fieldsIn(schema) }
}

/** @returns each kind once */
export function disagreementsOf({ holds, fields }: Rules, object: unknown, handler: string): readonly Disagreement[] {
  if (holds(object)) return []
  const kinds = new Map<string, Disagreement>()
  for (const error of withoutBranches(holds.errors ?? [])) {
    const kind = { path: pathOf(error, fields), rule: error.keyword, handler }
    kinds.set(`${kind.path} ${kind.rule}`, kind)
  }
  return [...kinds.values()]
}

/**
 * A choice (`anyOf`, `oneOf`) reports what each of its branches has against the value, and then itself. Keep the reports of the one branch
 * that is for a value of that type: they name the field and the rule. Otherwise keep the report of the choice. Where a branch is a `$ref`,
 * its reports do not show that they are of the choice; they stand before it, and are about the same value.
 */
function withoutBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const kept: ErrorObject[] = []
  for (const error of errors) {
    if (error.keyword === 'anyOf' || error.keyword === 'oneOf') {
      let first = kept.length
      while (first > 0 && isOfBranch(kept[first - 1] as ErrorObject, error)) first -= 1
      kept.push(...(branchOfType(kept.splice(first), error) ?? [error]))
    } else kept.push(error)
  }
  return kept
}

/** @returns undefined unless exactly one branch has nothing against the type of the value */
function branchOfType(errors: readonly ErrorObject[], { schemaPath, instancePath, params }: ErrorObject): readonly ErrorObject[] | undefined {
  // A `oneOf` of which too many branches hold: what the others report is beside the point.
  if ((params as { passingSchemas?: unknown }).passingSchemas) return undefined
  const prefix = `${schemaPath}/`
  const branches = Map.groupBy(errors.filter((error) => error.schemaPath.startsWith(prefix)), (error) => parseInt(error.schemaPath.slice(prefix.length), 10))
  const fitting = [...branches.values()].filter((branch) => !branch.some((error) => error.keyword === 'type' && error.instancePath === instancePath))
  return fitting.length === 1 ? fitting[0] : undefined
}

function isOfBranch({ instancePath, schemaPath, keyword }: ErrorObject, choice: ErrorObject): boolean {
  if (schemaPath.startsWith(`${choice.schemaPath}/`)) return true
  if (instancePath !== choice.instancePath) return instancePath.startsWith(`${choice.instancePath}/`)
  // Another rule of the schema that the choice is in.
  return schemaPath !== choice.schemaPath.slice(0, -choice.keyword.length) + keyword
}

/**
 * Every index of a list is one place. A field that the schema does not name is a key of a map, and as much data as its value: an address,
 * say. What is missing, the schema names.
 */
function pathOf({ instancePath, keyword, params }: ErrorObject, fields: ReadonlySet<string>): string {
  const steps = instancePath.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  const missing = keyword === 'required' ? [(params as { missingProperty: string }).missingProperty] : []
  return [...steps, ...missing].reduce((path, step) => {
    if (fields.has(step)) return `${path}.${step}`
    return /^\d+$/.test(step) ? `${path}[]` : `${path}.*`
  }, 'data.object')
}
