import { readFileSync } from 'node:fs'

import type { OptionRule } from '../../src/model/option-rules.ts'
import { rulesWithout } from '../../src/source/hmac/check-description.ts'

// The table of the options of hmacSource, generated from their rules and docstrings.

export const hmacPage = new URL('../../docs/sources/write-a-source.md', import.meta.url)
export const hmacTableName = 'hmacSource options'

interface Member {
  readonly means: string
  readonly isRequired: boolean
}

const read = (file: string): string => readFileSync(new URL(`../../src/source/${file}`, import.meta.url), 'utf8')
const options = read('hmac/hmac-options.ts')
const contract = read('source.ts')

/** The members of an interface that have a docstring, with its text. */
function membersOf(name: string, source: string): ReadonlyMap<string, Member> {
  const text = new RegExp(`interface ${name}\\b[\\s\\S]*?\\n}\\n`).exec(source)?.[0] ?? ''
  const found = text.matchAll(/^ {2}\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}(?:readonly )?(\w+)(\?)?[:(]/gm)
  return new Map(
    [...found].map(([, comment = '', member = '', optional]) => [
      member,
      { means: plainText(comment), isRequired: optional === undefined }
    ])
  )
}

/** Removes the signs and the tags of a docstring. */
function plainText(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\*/, '').trim())
  const tag = lines.findIndex((line) => line.startsWith('@'))
  return lines
    .slice(0, tag === -1 ? lines.length : tag)
    .filter((line) => line !== '')
    .join(' ')
}

/** The members of an option that is an object, by the interface that describes them. */
const nested: Readonly<Record<string, ReadonlyMap<string, Member>>> = {
  key: membersOf('HmacKeyOptions', options),
  limits: membersOf('SourceLimits', contract)
}

/** @throws {Error} for an option without a docstring */
export function hmacTable(): string {
  const own = membersOf('HmacSourceOptions', options)
  const passedOn = membersOf('Source', contract)
  const rows = Object.entries(rulesWithout()).flatMap(([name, rule]) => {
    const member = own.get(name) ?? passedOn.get(name)
    const isRequired = own.get(name)?.isRequired === true
    return [
      row(isRequired ? `**\`${name}\`**` : `\`${name}\``, name, rule, member),
      ...Object.entries(rule.fields ?? {}).flatMap(([field, inner]) =>
        nested[name] === undefined ? [] : [row(`\`${name}.${field}\``, field, inner, nested[name].get(field))]
      )
    ]
  })
  return ['| option | value | meaning |', '|---|---|---|', ...rows].join('\n')
}

function row(title: string, name: string, { expected }: OptionRule, member: Member | undefined): string {
  if (member === undefined) throw new Error(`the option ${name} has no docstring`)
  return `| ${title} | ${expected.replaceAll('|', '\\|')} | ${member.means.replaceAll('|', '\\|')} |`
}
