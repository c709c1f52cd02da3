import { readRange } from '../model/address-list.ts'
import { isListOf, isObject, isObjectOf, isText, type OptionRule } from '../model/option-rules.ts'

/**
 * One setting, defined once: its rule, default, unit and variable. `test/readme-tables.ts` makes the documents' tables
 * from this.
 */
export interface Setting {
  readonly rule: OptionRule
  readonly default?: string | number
  readonly unit?: string
  /**
   * The environment variable from which `riverhook serve` reads it. With `file`, NAME_FILE names a file that holds it.
   */
  readonly env?: string
  /** The variable that is read if the other one is not set. */
  readonly elseEnv?: string
  readonly file?: true
  /** Names that other libraries use: an unknown option with such a name is answered with the right one. */
  readonly also?: readonly string[]
  /** For the table of the documents. */
  readonly means: string
}

/** Settings by their name in code. */
export type Settings = Readonly<Record<string, Setting>>

/** A list of texts. */
export const isTexts = isListOf(isText, 'a list of texts that are not empty', 1)

/** Gives a rule its own error message. */
export const withMessage = (rule: OptionRule, problem: string): OptionRule => ({ ...rule, problem: () => problem })

/** Addresses, ranges, or names of sources. Which names there are is checked with the endpoint. */
export const isAllowed: OptionRule = {
  expected: "addresses, ranges such as 203.0.113.0/24, or the source's name",
  kind: 'list',
  accepts: (value) =>
    [value].flat().length > 0 &&
    [value].flat().every((each) => typeof each === 'string' && (/^[a-z][\w-]*$/i.test(each) || isNarrow(each)))
}

/** Addresses, or ranges of them. */
export const isAddresses: OptionRule = {
  expected: 'a list of addresses, or of ranges such as 10.0.0.0/8, but not of all addresses',
  kind: 'list',
  accepts: (value) => isTexts.accepts(value) && (value as readonly string[]).every(isNarrow)
}

/** A range of all addresses would be the same as no list. */
function isNarrow(text: string): boolean {
  return (readRange(text)?.bits ?? 0) > 0
}

export function hasMethods(...names: readonly string[]): OptionRule {
  return {
    expected: `an object with ${names.join(', ')}`,
    accepts: (value) =>
      isObject.accepts(value) && names.every((name) => typeof Reflect.get(value as object, name) === 'function')
  }
}

/** A path of a route. @param example for the error message */
export const isPath = (example: string): OptionRule =>
  withMessage(
    { expected: 'a path', accepts: (value) => typeof value === 'string' && value.startsWith('/') },
    `must begin with a slash, such as ${example}`
  )

/** The rules of settings, by name. */
export function collectRules<S extends Settings>(settings: S): { readonly [Name in keyof S]: OptionRule } {
  return Object.fromEntries(Object.entries(settings).map(([name, { rule }]) => [name, rule])) as {
    readonly [Name in keyof S]: OptionRule
  }
}

/**
 * Names that other libraries use, each with the name here.
 * @param prefix the group of the settings, such as `retry.`
 */
export function collectSynonyms(settings: Settings, prefix = ''): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, { also = [] }]) => also.map((other) => [other, `${prefix}${name}`]))
  )
}

/** A group of settings, which is one object in code. */
export const group = (settings: Settings, expected: string, required: readonly string[] = []): OptionRule =>
  isObjectOf(collectRules(settings), expected, required, collectSynonyms(settings))
