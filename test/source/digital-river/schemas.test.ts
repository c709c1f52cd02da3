import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import t from 'tap'

import { schemasFile, schemasText } from './schemas-file.ts'

const text = readFileSync(schemasFile, 'utf8')

// Risk: payloads compared with schemas other than those of the types.
t.test('the schemas read at the start match the types', (t) => {
  t.ok(text === schemasText(), 'run npm run schemas')
  t.end()
})

// They are not checked at the start, where an invalid rule would have no effect.
t.test('each is a valid schema', (t) => {
  const ajv = new Ajv({ strict: true, code: { optimize: false } })
  for (const [name, schema] of Object.entries(JSON.parse(text) as Record<string, object>))
    t.doesNotThrow(() => ajv.compile(schema), name)
  t.end()
})
