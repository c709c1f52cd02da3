import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'

import { RiverhookError } from '../../src/index.ts'
import { readBody } from '../../src/receive/read-body.ts'

const late = (): RiverhookError => new RiverhookError('RIVERHOOK_INBOX_DEADLINE', 'late')
const options = { limit: 1_048_576, length: undefined, leftMs: 60_000, take: () => true, late }

/** A stream that the test pushes to. */
function manual(): Readable {
  return new Readable({
    read() {
      /* Pushed by the test. */
    }
  })
}

// Risk: the memory of the process, for a sender whose body arrives in chunks of one byte. An object for each chunk
// would take a hundred times that, without counting towards bodyBudget.
t.test('small chunks are copied, not kept, so that their number uses no memory', async (t) => {
  const stream = manual()
  const body = readBody(stream, options)
  // The first chunk is kept without a copy, because most bodies are one chunk.
  let chunk = Buffer.alloc(1)
  const text = 'the same buffer carries each byte of this text, so only a copy has them all '.repeat(500)
  for (let index = 0; index < text.length; index += 1) {
    if (index === 1) chunk = Buffer.alloc(1)
    chunk[0] = text.charCodeAt(index)
    const emitted = new Promise((resolve) => stream.once('data', resolve))
    stream.push(chunk)
    await emitted
  }
  stream.push(null)
  t.equal((await body).toString(), text)
})

t.test('a body is the same with any division into chunks', async () => {
  const sizes = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 900, max: 20_000 }))
  await fc.assert(
    fc.asyncProperty(fc.array(sizes, { maxLength: 30 }), async (lengths) => {
      let next = 0
      const chunks = lengths.map((length) => Buffer.from(Array.from({ length }, () => (next = (next + 1) % 251))))
      const body = await readBody(
        Readable.from(
          chunks.filter(({ length }) => length > 0),
          { objectMode: false }
        ),
        options
      )
      return body.equals(Buffer.concat(chunks))
    }),
    { numRuns: 40 }
  )
})
