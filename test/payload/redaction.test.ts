import fc from 'fast-check'
import t from 'tap'

import { Redaction } from '../../src/payload/redaction.ts'

// Risk: personal data is shown to someone without the right to see it, or a payload is shown with other values.

const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const redact = (paths: readonly string[], value: unknown): unknown =>
  JSON.parse(new Redaction(paths).json(bytes(value)) ?? 'null')

t.test('values at paths are replaced by their type and length', async (t) => {
  const order = {
    id: 'o1',
    email: 'buyer.x.example',
    shipTo: { name: 'Ada', address: { line1: 'Main St 1', country: null, geo: [1.5, true] } },
    items: [{ email: 'a' }, { email: 'bb', sku: { email: 'ccc' } }]
  }
  t.same(redact(['data.email'], { data: order }), { data: { ...order, email: '•••• (string, 15)' } })
  t.same(redact(['shipTo.address'], order), {
    ...order,
    shipTo: {
      name: 'Ada',
      address: { line1: '•••• (string, 9)', country: null, geo: ['•••• (number)', '•••• (boolean)'] }
    }
  })
  t.same(redact(['items.email'], order), {
    ...order,
    items: [{ email: '•••• (string, 1)' }, { email: '•••• (string, 2)', sku: { email: 'ccc' } }]
  })
  t.same(redact(['*.email'], order), redact(['items.email'], order))
  t.same(redact(['**.email'], order), {
    ...order,
    email: '•••• (string, 15)',
    items: [{ email: '•••• (string, 1)' }, { email: '•••• (string, 2)', sku: { email: '•••• (string, 3)' } }]
  })
  t.same(redact(['none', 'id.x', ''], order), order)
})

t.test('all else stays as it arrived, with every digit', async (t) => {
  const text = '{"id":820982911946154508,"total":1.10,"__proto__":{"a":1},"email":"x"}'
  t.equal(
    new Redaction(['email']).json(bytes(text)),
    '{"id":820982911946154508,"total":1.10,"__proto__":{"a":1},"email":"•••• (string, 1)"}'
  )
  t.equal(new Redaction(['id']).json(bytes(text))?.includes('8209'), false)
})

t.test('a body that cannot be read is not shown', async (t) => {
  const redaction = new Redaction(['email'])
  for (const body of ['', '{"email":', 'email=buyer@x.example']) t.equal(redaction.json(bytes(body)), undefined)
  t.equal(redaction.json(Buffer.from([0xff])), undefined)
  const deep = '[{"a":'.repeat(100_000) + '1' + '}]'.repeat(100_000)
  t.equal(new Redaction(['**.email']).json(bytes(deep)), undefined)
  t.equal(new Redaction(['**.email']).text('some error', bytes(deep)), 'some error')
})

t.test('an error does not quote the values, in any case', async (t) => {
  const redaction = new Redaction(['**.email', 'name', 'card', 'country', 'big'])
  const body = bytes(
    '{"email":"a+b@x.example","name":"Ada $& [x]","card":4242,"country":"DE","big":820982911946154508}'
  )
  t.equal(
    redaction.text('ERP: no customer A+B@X.EXAMPLE (ada $& [x]), card 4242, 820982911946154508, DE', body),
    'ERP: no customer •••• (••••), card ••••, ••••, DE'
  )
  t.equal(redaction.text('no JSON', bytes('x')), 'no JSON')
})

// Risk: one character in a phone number, and the error that explains a dead letter is lost.
t.test('a value with any sign is found, and an error without it stays', async (t) => {
  const redaction = new Redaction(['**.email'])
  for (let code = 0x20; code < 0x7f; code += 1) {
    const email = `ann${String.fromCharCode(code)}lee`
    const body = bytes({ email })
    t.equal(redaction.text('ERP answered 503', body), 'ERP answered 503', email)
    const quoted = `${email} | ${encodeURIComponent(email)} | ${JSON.stringify({ email })}`
    t.equal(redaction.text(quoted, body), '•••• | •••• | {"email":"••••"}', email)
  }
})

t.test('an error of an event with more values than are looked for is hidden', async (t) => {
  const lines = Array.from({ length: 1_002 }, (_, index) => ({ email: `line-${index}` }))
  t.equal(new Redaction(['**.email']).text('no line-1001', bytes(lines)), '••••')
})

t.test('a name in a path may have a star, and is compared without regard to case', async (t) => {
  const event = {
    Email: 'a',
    customerEmail: 'b',
    emails: [{ at: 'c' }],
    'billingAddress.street': 'd',
    city: 'e',
    capacity: 'f'
  }
  t.same(redact(['**.*email*', '*address*', 'CITY', '*_city'], event), {
    Email: '•••• (string, 1)',
    customerEmail: '•••• (string, 1)',
    emails: [{ at: '•••• (string, 1)' }],
    'billingAddress.street': '•••• (string, 1)',
    city: '•••• (string, 1)',
    capacity: 'f'
  })
  t.same(redact(['a*b*c'], { abc: 'x', aXbYc: 'y', ac: 'z', abcd: 'q', cba: 'r' }), {
    abc: '•••• (string, 1)',
    aXbYc: '•••• (string, 1)',
    ac: 'z',
    abcd: 'q',
    cba: 'r'
  })
})

t.test('a text with an e-mail address is hidden at any place, and the address in errors', async (t) => {
  const event = { note: 'ask ada@x.example.', tool: 'react@18.2.0', handle: '@ada' }
  t.same(redact([], event), { ...event, note: '•••• (string, 18)' })
  t.equal(new Redaction([]).text('no ADA@x.example; react@18.2.0, ask', bytes(event)), 'no ••••; react@18.2.0, ask')
})

t.test('the values of a form are hidden in texts; of JSON in it, those at the paths', async (t) => {
  const hide = new Redaction(['**.email', '**.name']).hiderOf(
    bytes(
      `name=Ada+Lovelace&payload=${encodeURIComponent('{"email":"a.b","name":"Countess","id":"O-4711"}')}&plan=gold`
    )
  )
  for (const text of ['ada lovelace', 'Ada+Lovelace', 'Ada%20Lovelace', 'A.B', 'Countess', ' gold '])
    t.equal(hide(text), '••••', text)
  t.equal(hide('no Ada Lovelace for O-4711, plan gold'), 'no •••• for O-4711, plan ••••')
  const truncated = new Redaction(['email']).hiderOf(bytes('{"id":"e1","email":"ada.lovelace","x'), ['e1'])
  t.equal(truncated('refused ada.lovelace, e1.'), 'refused ••••, e1.')
  const latin1 = new Redaction([]).hiderOf(Buffer.from('name: Zo\u00eb Quinn\n', 'latin1'))
  t.equal(latin1('no customer Quinn'), 'no customer ••••')
})

t.test('a value is compared as a search key is: without white space around it, in lower case', async (t) => {
  const hide = new Redaction(['name', 'n']).hiderOf(bytes('{"name":"  Ada Lovelace\\n","n":1.50e3}'))
  for (const text of ['ada lovelace', ' Ada Lovelace', '1500', '1.50e3']) t.equal(hide(text), '••••', text)
})

t.test('a long value is hidden where a text quotes its beginning, and so is what is in JSON in a text', async (t) => {
  const long = `${'secret words '.repeat(300)}end`
  const hide = new Redaction(['note', 'Message']).hiderOf(
    bytes({ note: long, Message: JSON.stringify({ to: { name: 'Lovelace' }, deep: JSON.stringify({ x: 'Babbage' }) }) })
  )
  t.equal(hide(`refused: ${long.slice(0, 1_000)}`), 'refused: ••••')
  t.equal(hide('no Lovelace, no Babbage'), 'no ••••, no ••••')
})

// Risk: an error that is lost, a list that fails, and an internal error without its text.
t.test('any UTF-16, such as half a surrogate pair, neither throws nor shows a value', async () => {
  const odd = fc.string({
    unit: fc.constantFrom('\ud800', '\udfff', '\u{1f600}', 'é', '@', '.', ' ', 'ada', 'x'),
    maxLength: 12
  })
  const canary = 'canary-4711@x.example'
  fc.assert(
    fc.property(odd, odd, odd, odd, (before, after, name, note) => {
      const secret = `${before}${canary}${after}`
      const body = bytes({ [name]: note, note: secret, email: [secret, note] })
      const redaction = new Redaction(['email'])
      const hide = redaction.hiderOf(body, [name])
      const texts = [redaction.json(body) ?? '', hide(`${note} refused ${secret}${name}`), hide(note), hide('\ud800')]
      return texts.every((text) => !text.includes(canary))
    })
  )
})

t.test('a hidden text occurs nowhere, whatever the event looks like', async () => {
  const canary = 'canary-4711'
  const hostile = fc.jsonValue({ maxDepth: 5 })
  fc.assert(
    fc.property(hostile, hostile, fc.array(fc.constantFrom('a', 'b', 'list'), { maxLength: 4 }), (one, other, path) => {
      const inner = { email: [canary, { deep: canary }], other }
      const event = {
        data: path.reduce<unknown>((below, name) => (name === 'list' ? [below, one] : { [name]: below, one }), inner)
      }
      const shown = new Redaction(['data.**.email']).json(bytes(event))
      return shown !== undefined && !shown.includes(canary)
    })
  )
})
