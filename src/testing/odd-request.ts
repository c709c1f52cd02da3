import type { IncomingRequest, Source } from '../index.ts'
import type { Dice } from './dice.ts'

/** Texts that parsers stumble over. */
const oddTexts = [
  '',
  ' ',
  ',',
  '=',
  't=,v1=',
  ','.repeat(2_000),
  'a=b,'.repeat(500),
  '-1',
  '1e400',
  'NaN',
  '0x10',
  '9'.repeat(400),
  '%E0%A4%A',
  '__proto__',
  '\u00ff\u00fe',
  'v1,'.repeat(300)
] as const

const oddBodies = [
  '',
  'null',
  '0',
  '"text"',
  '[]',
  '[null]',
  '[[]]',
  '{}',
  '{"__proto__":null}',
  '{"id":null,"type":1}',
  '{"id":"\\ud800","type":"\\u0000"}',
  '{"data":null}',
  '{"events":null}',
  '{"events":[null,1,"x"]}',
  '['.repeat(10_000),
  '{"a":'.repeat(5_000),
  '[{},'.repeat(200),
  '\ufeff{}',
  '{"id":"x"'
] as const

/** A request that no provider would send: of odd parts, or of a sample with something changed. */
export function makeUp(dice: Dice, source: Source, samples: readonly IncomingRequest[]): IncomingRequest {
  const sample = samples[dice.whole(0, samples.length - 1)] as IncomingRequest
  const names = [...new Set([...samples.flatMap(({ headers }) => Object.keys(headers)), ...(source.keep ?? [])])]
  const headers: Record<string, string | readonly string[] | undefined> = { ...sample.headers }
  for (const name of names) {
    const text = (): string => {
      const before = sample.headers[name]
      const known = typeof before === 'string' ? before : ''
      const cut = dice.whole(0, known.length)
      return dice.pick([
        dice.pick(oddTexts),
        known,
        known.slice(0, cut),
        known.slice(cut),
        known.slice(0, cut) + dice.pick(oddTexts) + known.slice(cut),
        `${known}, ${known}`,
        randomText(dice)
      ])
    }
    switch (dice.whole(0, 4)) {
      case 0:
        headers[name] = undefined
        break
      case 1:
        headers[name] = text()
        break
      case 2:
        headers[name] = [text(), text()]
        break
      default:
    }
  }
  const url = dice.pick(['/', sample.url, `${sample.url}?${randomText(dice)}`, '//', '/%', `/?${dice.pick(oddTexts)}`])
  const method = dice.pick(['POST', 'POST', 'POST', ...(source.methods ?? [])])
  return { method, url, headers, body: randomBody(dice, sample.body) }
}

function randomText(dice: Dice): string {
  return Array.from({ length: dice.whole(0, 30) }, () => String.fromCharCode(dice.whole(0x20, 0xff))).join('')
}

function randomBody(dice: Dice, body: Uint8Array): Uint8Array {
  const changed = Buffer.from(body)
  const cut = dice.whole(0, body.length)
  switch (dice.whole(0, 5)) {
    case 0:
      return Buffer.from(dice.pick(oddBodies))
    case 1:
      return Buffer.from(Array.from({ length: dice.whole(0, 64) }, () => dice.whole(0, 255)))
    case 2:
      if (body.length > 0) changed[Math.min(cut, body.length - 1)] = dice.whole(0, 255)
      return changed
    case 3:
      return changed.subarray(0, cut)
    case 4: {
      // A value of another kind somewhere.
      const values = ['null', '0', '[]', '{}', '"x"', 'true'] as const
      const text = changed
        .toString()
        .replace(/"[^"]*"(?!:)|\d+|true|false/g, (value) => (dice.whole(0, 3) === 0 ? dice.pick(values) : value))
      return Buffer.from(text)
    }
    default:
      return changed
  }
}
