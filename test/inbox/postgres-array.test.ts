import pg from 'pg'
import t from 'tap'

import { arrayText } from '../../src/inbox/postgres/array-text.ts'
import { ownTypes } from '../../src/inbox/postgres/read-value.ts'
import { startPostgres } from './postgres-server.ts'

// Risk: a text with quotes or backslashes, or a time, is stored as another one, or read back as another one.

const server = await startPostgres()
t.teardown(() => server.stop())
const client = new pg.Client({ connectionString: await server.createDatabase(t), options: '-c timezone=UTC' })
await client.connect()
t.teardown(() => client.end())

/** Returns the elements of an array as PostgreSQL reads them, in order. */
async function read(values: readonly unknown[], type: string): Promise<readonly unknown[]> {
  const text = `SELECT value FROM unnest($1::${type}[]) WITH ORDINALITY AS each (value, position) ORDER BY position`
  const { rows } = await client.query<{ value: unknown }>({ text, values: [arrayText(values, true)], types: ownTypes })
  return rows.map(({ value }) => value)
}

t.test('each text is read as it was given', async (t) => {
  const texts = [
    '',
    'a',
    'NULL',
    'null',
    '{a,b}',
    ' a ',
    '"',
    '\\',
    '\\"',
    '{"a":"\\u0041"}',
    'ä€😀',
    '\n\t',
    null,
    '$&'
  ]
  t.strictSame(await read(texts, 'text'), texts)
  t.strictSame(await read([], 'text'), [])
})

t.test('so are numbers, booleans and missing values', async (t) => {
  t.strictSame(await read([1, -2, 2_147_483_647], 'integer'), [1, -2, 2_147_483_647])
  t.strictSame(await read([0, 1.5, 1e21], 'float8'), [0, 1.5, 1e21])
  t.strictSame(await read([true, false, undefined, null], 'boolean'), [true, false, null, null])
})

t.test('so are times, from the first to the last year that PostgreSQL has a usual form for', async (t) => {
  const times = [
    '0001-01-01T00:00:00.000Z',
    '0099-12-31T23:59:59.999Z',
    '1000-02-28T00:00:00.010Z',
    '1969-12-31T23:59:59.001Z',
    '2026-02-28T12:34:56.789Z',
    '2024-02-29T00:00:00.100Z',
    '9999-12-31T23:59:59.999Z'
  ].map((time) => new Date(time))
  t.strictSame(await read(times, 'timestamptz'), times)
})

t.test('a time is read to the millisecond, whatever the digits of its fraction', async (t) => {
  const { rows } = await client.query<Record<string, Date>>({
    text: "SELECT '2026-01-31 12:00:00'::timestamptz AS none, '2026-01-31 12:00:00.1'::timestamptz AS one, '2026-01-31 12:00:00.02'::timestamptz AS two, '2026-01-31 12:00:00.123999'::timestamptz AS six, '12026-01-31 12:00:00.5'::timestamptz AS far",
    types: ownTypes
  })
  t.strictSame(
    Object.values(rows[0] ?? {}).map((time) => time.toISOString()),
    [
      '2026-01-31T12:00:00.000Z',
      '2026-01-31T12:00:00.100Z',
      '2026-01-31T12:00:00.020Z',
      '2026-01-31T12:00:00.123Z',
      '+012026-01-31T12:00:00.500Z'
    ]
  )
})

t.test('arrays with other values are left to pg', (t) => {
  for (const value of [new Date(Date.UTC(12_026, 0)), new Date(NaN), Buffer.from('a'), ['a'], {}])
    t.equal(arrayText([1, value], true), undefined)
  t.end()
})
