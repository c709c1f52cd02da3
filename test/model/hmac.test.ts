import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'

import { Hmac } from '../../src/model/hmac.ts'
import { binaryText } from '../binary-text.ts'

// Risk: a right signature is refused, or the signatures that we make are refused by others.

const piece = fc.oneof(binaryText(), fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 300, size: 'max' }))
const long = fc.nat(40_000).map((length) => Buffer.alloc(length, 'x'))

t.test('an HMAC is that of Node, for any key, pieces, algorithm and encoding', (t) => {
  const property = fc.property(
    fc.constantFrom('sha1', 'sha256', 'sha384', 'sha512'),
    fc.constantFrom('hex', 'base64', 'base64url'),
    fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 300, size: 'max' }), binaryText({ minLength: 1 })),
    fc.array(fc.oneof({ weight: 5, arbitrary: piece }, { weight: 1, arbitrary: long }), { maxLength: 5 }),
    (algorithm, encoding, key, pieces) => {
      const expected = createHmac(algorithm, key)
      for (const each of pieces) expected.update(each)
      const hmac = new Hmac(algorithm, key)
      const first = hmac.of(pieces, encoding)
      return first === expected.digest(encoding) && hmac.of(pieces, encoding) === first
    }
  )
  fc.assert(property, { numRuns: 500 })
  t.end()
})

t.test('halves of surrogate pairs are hashed as Node hashes them', (t) => {
  for (const text of ['\ud800', 'a\udc00b', '\ud800'.repeat(6_000)])
    t.equal(new Hmac('sha256', 'key').of([text], 'hex'), createHmac('sha256', 'key').update(text).digest('hex'))
  t.end()
})
