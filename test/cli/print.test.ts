import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'
import fc from 'fast-check'
import t from 'tap'

import { shown, style, type Styled } from '../../src/cli/output.ts'
import { counted, spanText, tableText, wrap } from '../../src/cli/print.ts'

// Risk: a table that cannot be read in a terminal of 80 columns, or ids that are cut and cannot be copied.

const head = ['id', 'type', 'last error']
const rows = [
  ['7f1a4c1e-6a1e-4f0e-9f29-0c1d2e3f4a5b', 'order.accepted', 'Error: the warehouse answered 503 and said nothing more'],
  ['e2', 'order.cancelled', '']
]
const at = (width?: number): string => stripVTControlCharacters(tableText(head, rows, width))
const widest = (text: string): number => Math.max(...text.split('\n').map(({ length }) => length))

t.test('a table in a file or a wide terminal is not wrapped', (t) => {
  for (const text of [at(), at(200)])
    t.match(text, /^id +type +last error *\n7f1a4c1e\S+ {2}order\.accepted {3}Error: .* nothing more *\ne2 +order/)
  t.end()
})

// Risk: columns that do not stand below each other.
t.test('a table is what cli-table3 makes of its cells, whatever characters they have', (t) => {
  const text = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.string({ maxLength: 12, unit: 'grapheme' }),
    fc.constantFrom('', 'a…', '完了', 'two\nlines', '×3')
  )
  const cell = fc.oneof(
    text,
    text.map((each) => style('red', each))
  )
  const column = { left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' }
  const places = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
  const chars = { ...column, ...Object.fromEntries(places.map((place) => [place, ''])) }
  const check = (titles: readonly string[], given: readonly (readonly (string | Styled)[])[]): void => {
    const table = new Table({
      head: titles.map((title) => style('dim', title).text),
      chars,
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 }
    })
    table.push(...given.map((row) => row.map(shown)))
    t.equal(tableText(titles, given), table.toString())
  }
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 4 }), (given) => {
      check(head, given)
    }),
    {
      numRuns: 200
    }
  )
  check(head, [])
  t.end()
})

t.test('in a narrow terminal the last column is wrapped, between words', (t) => {
  const text = at(100)
  t.ok(widest(text) <= 100)
  t.match(text, /order\.accepted {3}Error: the warehouse answered 503 and said *\n {55}nothing more/)
  t.end()
})

t.test('if the last column has too little space, it is printed below its row', (t) => {
  const text = at(60)
  t.ok(widest(text) <= 60)
  t.equal(
    text.replaceAll(/ +$/gm, ''),
    [
      `id${' '.repeat(36)}type`,
      `${rows[0]![0]}  order.accepted`,
      '    Error: the warehouse answered 503 and said nothing more',
      `e2${' '.repeat(36)}order.cancelled`
    ].join('\n')
  )
  t.end()
})

t.test('if the other columns do not fit either, each row is a block, and a long value has its own line', (t) => {
  t.equal(
    at(50),
    [
      `id          ${rows[0]![0]}`,
      'type        order.accepted',
      'last error',
      `    ${rows[0]![2]}`,
      '',
      'id          e2',
      'type        order.cancelled'
    ].join('\n')
  )
  t.end()
})

t.test('words are kept whole unless they are too long', (t) => {
  t.equal(wrap('one two three', 7), 'one two\nthree')
  t.equal(wrap('abcdefghij k', 4), 'abcd\nefgh\nij k')
  t.equal(wrap('', 4), '')
  t.end()
})

t.test('counts are singular or plural as needed, and a duration is in one unit', (t) => {
  t.same(
    [counted(1, 'event'), counted(0, 'event'), counted(2, 'delivery', 'deliveries')],
    ['1 event', '0 events', '2 deliveries']
  )
  t.same([-5, 35_000, 300_000, 7_200_000, 259_200_000].map(spanText), ['0 s', '35 s', '5 min', '2 h', '3 days'])
  t.end()
})
