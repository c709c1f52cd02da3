import type { EventMismatchJson } from '../../admin/api-types.ts'

/** A mismatch, and the steps that lead to it from a place of the payload. */
export interface SchemaMark {
  readonly steps: readonly string[]
  readonly mismatch: EventMismatchJson
}

/** Stands for a field that the schema does not name. */
const anyField = '*'

export function toMarks(mismatches: readonly EventMismatchJson[]): SchemaMark[] {
  return mismatches.map((mismatch) => ({
    steps: mismatch.path.split(/\.|(?=\[\])/u).filter((step) => step !== ''),
    mismatch
  }))
}

/** The marks of a child. The schema has one place for all entries of a list. */
export function marksOf(marks: readonly SchemaMark[], key: string, isList: boolean): SchemaMark[] {
  const wanted = isList ? '[]' : key
  return marks
    .filter(({ steps }) => steps[0] === wanted)
    .map(({ steps, mismatch }) => ({ steps: steps.slice(1), mismatch }))
}

/** The marks of a place itself, with those of its fields that have no name. */
export function marksHere(marks: readonly SchemaMark[]): SchemaMark[] {
  return marks.filter(({ steps }) => steps.length === 0 || steps[0] === anyField)
}

/** The fields that the schema demands and a branch does not have, with their marks. */
export function missingFields(marks: readonly SchemaMark[], value: object): (readonly [string, SchemaMark[]])[] {
  const names = marks.flatMap(({ steps: [name], mismatch }) =>
    name === undefined || name === '[]' || name === anyField || mismatch.rule !== 'required' || name in value
      ? []
      : [name]
  )
  return [...new Set(names)].map((name) => [name, marksOf(marks, name, false)])
}

const words: Readonly<Record<string, string>> = {
  additionalProperties: 'unknown field',
  const: 'another value',
  enum: 'unknown value',
  required: 'missing',
  type: 'another type',
  unknown_type: 'unknown event type'
}

/** Names the difference in a word or two. */
export function markText({ rule }: EventMismatchJson): string {
  return words[rule] ?? rule
}
