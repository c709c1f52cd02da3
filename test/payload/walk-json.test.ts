import fc from 'fast-check'
import t from 'tap'

import { walkJson } from '../../src/payload/walk-json.ts'

// Risk: a value is masked at the wrong place, or a text that no program can read as JSON is masked as if it were.

/** The texts and literals of a JSON text with their paths, in order; undefined if it is not JSON. */
function read(text: string): readonly string[] | undefined {
  const found: string[] = []
  const isJson = walkJson<string>(text, '', {
    isDone: false,
    field: (where, name, [start, end]) => {
      if (JSON.parse(text.slice(start, end)) !== name) throw new Error(`${name} is not at ${start}`)
      return `${where}/${JSON.stringify(name)}`
    },
    text: (where, value, [start, end]) => {
      if (JSON.parse(text.slice(start, end)) !== value) throw new Error(`${value} is not at ${start}`)
      found.push(`${where} ${JSON.stringify(value)}`)
    },
    literal: (where, literal, [start, end]) => {
      if (text.slice(start, end) !== literal) throw new Error(`${literal} is not at ${start}`)
      found.push(`${where} ${String(JSON.parse(literal))}`)
    }
  })
  return isJson ? found : undefined
}

function expected(value: unknown, where = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((entry) => expected(entry, where))
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([name, field]) => expected(field, `${where}/${JSON.stringify(name)}`))
  return [`${where} ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`]
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

t.test('the walk finds the values of JSON.parse, at their places', async () => {
  const spaces = fc.constantFrom(undefined, 2, '\t')
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), spaces, (value, space) => {
      const text = JSON.stringify(value, undefined, space)
      return JSON.stringify(read(text)) === JSON.stringify(expected(JSON.parse(text)))
    }),
    { numRuns: 500 }
  )
})

t.test('it refuses the texts that JSON.parse refuses', async (t) => {
  const part = fc.constantFrom(
    ...['{', '}', '[', ']', ',', ':', '"', '"a"', '\\', '\\u00e', '\\q', '0', '01', '-', '1.', '.5', '1e', '1E+2'],
    ...['true', 'nul', 'null', ' ', '\n', '\u00a0', '\u0001', '\ud800', 'é', 'NaN', '{"a":1}', '[1,2]']
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 7 }), (parts) => {
      const text = parts.join('')
      return (read(text) !== undefined) === (parsed(text) !== undefined)
    }),
    { numRuns: 5_000 }
  )
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 3 }),
      fc.nat(60),
      fc.constantFrom('', ...Array.from('"\\,:{}[]0a ')),
      (json, at, change) => {
        const text = json.slice(0, at) + change + json.slice(at + 1)
        return (read(text) !== undefined) === (parsed(text) !== undefined)
      }
    ),
    { numRuns: 5_000 }
  )
  t.equal(read(`${'['.repeat(200_000)}${']'.repeat(200_000)}`), undefined, 'too deep')
})
