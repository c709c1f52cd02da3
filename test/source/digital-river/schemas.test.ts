import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import t from 'tap'

import { schemasFile, schemasText } from './schemas-file.ts'

const text = readFileSync(schemasFile, 'utf8')

// What a user would lose: payloads compared with other schemas than those that the types come from.
t.test('what is read at a start is what the types say', (t) => {
  t.ok(text === schemasText(), 'run npm run schemas')
  t.end()
})

// At a start they are not looked at any more: what is no rule would hold nothing.
t.test('each is a schema', (t) => {
  const ajv = new Ajv({ strict: true, code: { optimize: false } })
  for (const [name, schema] of Object.entries(JSON.parse(text) as Record<string, object>))
    t.doesNotThrow(() => ajv.compile(schema), name)
  t.end()
})
