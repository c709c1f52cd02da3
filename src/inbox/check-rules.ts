import { types } from 'node:util'

import { RiverhookError } from '../model/errors.ts'
import { didYouMean } from '../model/nearest.ts'

// The parts of which the checks of an inbox are made.

/** Returns the requirement that the value breaks; undefined if it is valid. */
export type Rule = (value: unknown) => string | undefined
export type Rules = Readonly<Record<string, { readonly rule: Rule; readonly isRequired?: true }>>

export const text: Rule = (value) => (typeof value === 'string' ? undefined : 'must be a string')
export const flag: Rule = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false')
export const instant: Rule = (value) =>
  types.isDate(value) && isStorable(value) ? undefined : 'must be a valid Date between the years 1 and 9999'
export const list: Rule = (value) => (Array.isArray(value) ? undefined : 'must be a list')
export const whole =
  (least: number, most: number): Rule =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`
export const among =
  (names: readonly string[]): Rule =>
  (value) =>
    (names as readonly unknown[]).includes(value) ? undefined : `must be one of ${names.join(', ')}`
export const size = whole(0, Number.MAX_SAFE_INTEGER)
export const count = whole(0, 2 ** 31 - 1)

/** True for a time that every engine can store and compare. */
function isStorable(date: Date): boolean {
  const year = date.getUTCFullYear()
  return year >= 1 && year <= 9999
}

export function checkList<Item>(given: readonly Item[], call: string): readonly Item[] {
  if (!Array.isArray(given)) throw invalid(`${call} must be given a list`)
  return given as readonly Item[]
}

/** Checks the fields of an object. It may have other fields too. */
export function checkFields(call: string, rules: Rules, given: object): void {
  for (const [name, { rule, isRequired }] of Object.entries(rules)) {
    const value: unknown = (given as Readonly<Record<string, unknown>> | null)?.[name]
    const fault = value === undefined && isRequired !== true ? undefined : rule(value)
    if (fault !== undefined) throw invalid(`${call}: "${name}" ${fault}`)
  }
}

/** Checks an object that may have only the fields of `rules`. */
export function checkKeys(call: string, rules: Rules, given: unknown): Record<string, unknown> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalid(`${call} must be given an object`)
  const known = Object.keys(rules)
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown !== undefined)
    throw invalid(
      `${call}: "${printable(unknown)}" is unknown${didYouMean(unknown, known, { otherwise: `; known are ${known.join(', ')}` })}`
    )
  const checked: Record<string, unknown> = {}
  for (const [name, { rule, isRequired }] of Object.entries(rules)) {
    const value: unknown = (given as Record<string, unknown>)[name]
    if (value === undefined && isRequired !== true) continue
    const fault = rule(value)
    if (fault !== undefined) throw invalid(`${call}: "${name}" ${fault}`)
    checked[name] = value
  }
  return checked
}

/** Makes a key safe for a log: it may come from a query string. */
export function printable(key: string): string {
  return key.slice(0, 50).replaceAll(/[^\x20-\x7e]/g, '?')
}

export function invalid(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_OPTIONS_INVALID', message)
}
