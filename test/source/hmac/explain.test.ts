import t from 'tap'

import { github, standardWebhooks, stripe, type HmacSource } from '../../../src/sources.ts'

// Risk: no reason in the log why every signature is refused.

const at = new Date('2026-01-31T12:00:00Z')
const sent = '{"id": "ev_1", "type": "a.b", "name": "Zoë"}'

function explain(source: HmacSource, secret: string, configured: string, received = sent): string | undefined {
  const signed = source.sign({ body: Buffer.from(sent), secret, at, id: 'msg_1', type: 'a.b' })
  const headers = Object.fromEntries(Object.entries(signed).map(([name, value]) => [name.toLowerCase(), value]))
  const request = { method: 'POST', url: '/', headers, body: Buffer.from(received) }
  const verifier = source.verifier(['another1', configured])
  t.match(verifier.verify(request, at, 1_000), {
    ok: false,
    reason: 'no_match',
    detail: /1 in the header, 2 configured/
  })
  return verifier.explain(request)
}

for (const source of [stripe(), github()]) {
  t.test(`${source.name}: white space or quotes around a secret`, async (t) => {
    for (const configured of ['secret\n', ' secret', '"secret"', "'secret'"])
      t.match(
        explain(source, 'secret', configured),
        /without the white space or quotes around configured secret number 2/
      )
    t.equal(explain(source, 'secret', 'wrong'), undefined)
  })
}

for (const [source, secret] of [
  [stripe(), 'secret'],
  [github(), 'secret'],
  [standardWebhooks(), 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']
] as const) {
  t.test(`${source.name}: a body that was changed on the way`, async (t) => {
    const value: unknown = JSON.parse(sent)
    t.match(explain(source, secret, secret, JSON.stringify(value)), /re-serialisation \(with a space after commas/)
    t.match(explain(source, secret, secret, `${sent}\n`), /re-serialisation \(white space at its end\)/)
    t.equal(explain(source, secret, secret, '{"id": "ev_2"}'), undefined)
  })
}
