import crypto, { createCipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import fc from 'fast-check'
import t from 'tap'

import { Cipher } from '../../src/inbox/encryption/cipher.ts'
import { Ctr } from '../../src/inbox/encryption/ctr.ts'

// Risk: events are encrypted with a weaker cipher than AES-256-CTR, cannot be decrypted, or can be forged.

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
/** Counters that soon overflow in one to four of their words, and any other. */
const nonce = fc.tuple(fc.constantFrom(0, 4, 8, 12, 15, 16), bytes(16)).map(([start, any]) => {
  const counter = Buffer.from(any)
  return counter.fill(255, start)
})
const text = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 300, size: 'max' }) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(0, 1, 15, 16, 17, 2_032, 2_047, 2_048, 2_049, 20_000)
      .map((length) => randomBytes(length))
  }
)

t.test('the result is that of aes-256-ctr, for any key, counters and texts, as many as there are', (t) => {
  const property = fc.property(bytes(32), fc.array(fc.tuple(nonce, text), { maxLength: 40 }), (key, given) => {
    const parts = given.map(([nonce, bytes]) => {
      const target = Buffer.concat([Buffer.from('xyz'), nonce, Buffer.alloc(bytes.length + 3, '-')])
      return { nonce, bytes, target, start: 19 }
    })
    const ctr = new Ctr(key)
    ctr.apply(parts)
    return parts.every(({ nonce, bytes, target }) => {
      const expected = createCipheriv('aes-256-ctr', key, nonce).update(bytes)
      return target.equals(Buffer.concat([Buffer.from('xyz'), nonce, expected, Buffer.from('---')]))
    })
  })
  fc.assert(property, { numRuns: 300 })
  t.end()
})

t.test('bytes of any size are decrypted in their place, and a changed byte is noticed', (t) => {
  const id = fc.string({ minLength: 1, maxLength: 30 })
  const change = fc.nat().filter((number) => number % 256 !== 0)
  const property = fc.property(bytes(32), id, id, text, change, (key, event, other, given, change) => {
    const cipher = new Cipher([{ id: 'k1', key }])
    const place = ['realm', event, 'body']
    const [sealed, again, beside] = cipher.sealAll('k1', [
      { bytes: given, place },
      { bytes: given, place },
      { bytes: given, place: ['realm', `${event}${other}`, 'body'] }
    ])
    const isRight = Buffer.from(cipher.open(sealed!, place)).equals(given) && sealed!.equals(again!)
    const isBound = !sealed!.equals(beside!) && isRefused(() => cipher.open(beside!, place))
    // After the mark and the id of the key.
    const changed = Buffer.from(sealed!)
    const at = 7 + (Math.floor(change / 256) % (changed.length - 7))
    changed[at]! ^= change % 256
    return isRight && isBound && isRefused(() => cipher.open(changed, place))
  })
  fc.assert(property, { numRuns: 300 })
  t.end()
})

t.test('stored bytes are what docs/encryption.md says', (t) => {
  const key = randomBytes(32)
  const derived = (purpose: string) => Buffer.from(hkdfSync('sha256', key, '', purpose, 32))
  const [place, given] = [['realm', 'id', 'body'], randomBytes(100)]
  const hmac = createHmac('sha256', derived('riverhook data mac')).update(JSON.stringify(place)).update(given).digest()
  const nonce = hmac.subarray(0, 16)
  const encrypted = createCipheriv('aes-256-ctr', derived('riverhook data text'), nonce).update(given)
  const expected = Buffer.concat([Buffer.from([0xf5, 0x72, 0x68, 0x01, 2]), Buffer.from('k1'), nonce, encrypted])
  const sealed = new Cipher([{ id: 'k1', key }]).seal('k1', given, place)
  t.equal(sealed.toString('hex'), expected.toString('hex'))
  t.equal(sealed.length, given.length + 21 + 'k1'.length)
  t.end()
})

t.test('the HMAC is compared in constant time, so that it cannot be guessed byte by byte', (t) => {
  const cipher = new Cipher([{ id: 'k1', key: randomBytes(32) }])
  const sealed = cipher.seal('k1', Buffer.from('x'), ['realm', 'id', 'body'])
  const { timingSafeEqual } = crypto
  let compared = 0
  crypto.timingSafeEqual = (...given) => {
    compared += 1
    return timingSafeEqual(...given)
  }
  syncBuiltinESMExports()
  t.teardown(() => {
    crypto.timingSafeEqual = timingSafeEqual
    syncBuiltinESMExports()
  })
  cipher.open(sealed, ['realm', 'id', 'body'])
  t.equal(compared, 1)
  t.ok(isRefused(() => cipher.open(sealed, ['realm', 'id', 'headers'])))
  t.equal(compared, 2)
  t.end()
})

t.test('bytes that are too short to be encrypted are refused', (t) => {
  const cipher = new Cipher([{ id: 'k1', key: randomBytes(32) }])
  const sealed = cipher.seal('k1', Buffer.from('x'), ['realm', 'id', 'body'])
  for (let length = 5; length < sealed.length; length += 1)
    t.ok(
      isRefused(() => cipher.open(sealed.subarray(0, length), ['realm', 'id', 'body'])),
      `${length} bytes`
    )
  t.end()
})

function isRefused(open: () => unknown): boolean {
  try {
    open()
    return false
  } catch (error) {
    return ['RIVERHOOK_INBOX_DAMAGED', 'RIVERHOOK_INBOX_KEY'].includes((error as { code: string }).code)
  }
}
