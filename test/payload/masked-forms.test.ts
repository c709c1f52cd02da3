import { inspect } from 'node:util'
import fc from 'fast-check'
import t from 'tap'

import { caseOf, formOf, inOneCase, inOneForm } from '../../src/model/folded-text.ts'
import { FieldPaths, mostKept } from '../../src/payload/field-paths.ts'
import { Redaction } from '../../src/payload/redaction.ts'
import { binaryText } from '../binary-text.ts'

// Risk: an error shows a person's data, because it quotes them in a URL, in JSON or in HTML; or a payload shows them in
// the name of a field, behind many characters, or in JSON inside a text.

const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const shown = (paths: readonly string[], value: unknown): string =>
  new Redaction(paths).json(bytes(value)) ?? 'not shown'

const escapeUnits = (text: string, form: (hex: string, unit: number) => string): string =>
  Array.from({ length: text.length }, (_, at) => {
    const unit = text.charCodeAt(at)
    return unit < 0x80 ? text.charAt(at) : form(unit.toString(16).padStart(4, '0'), unit)
  }).join('')
const inHtml: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** The ways in which libraries write a value into a text. */
const encoders: Readonly<Record<string, (value: string) => string>> = {
  plain: (value) => value,
  encodeURIComponent,
  'encodeURIComponent, twice': (value) => encodeURIComponent(encodeURIComponent(value)),
  encodeURI,
  URLSearchParams: (value) => new URLSearchParams({ q: value }).toString(),
  'percent signs in lower case': (value) =>
    encodeURIComponent(value).replaceAll(/%../g, (escape) => escape.toLowerCase()),
  'JSON.stringify': (value) => JSON.stringify(value),
  'JSON.stringify, twice': (value) => JSON.stringify(JSON.stringify({ value })),
  'JSON in ASCII': (value) => escapeUnits(JSON.stringify(value), (hex) => `\\u${hex}`),
  'JSON in ASCII, in JSON, in a URL': (value) =>
    encodeURIComponent(JSON.stringify(escapeUnits(JSON.stringify(value), (hex) => `\\u${hex}`))),
  'util.inspect': (value) => inspect({ value }),
  'code points in braces': (value) =>
    value.replaceAll(/\P{ASCII}/gu, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`),
  HTML: (value) => value.replaceAll(/[&<>"']/g, (sign) => inHtml[sign] ?? sign),
  'HTML, of a URL': (value) =>
    encodeURI(value).replaceAll(/[&<>"']/g, (sign) => `&#x${sign.charCodeAt(0).toString(16)};`),
  'upper case': (value) => value.toUpperCase(),
  'JSON in ASCII, in upper case': (value) => escapeUnits(JSON.stringify(value), (hex) => `\\u${hex}`).toUpperCase()
}

/** A value as people have them, and as hostile senders write them. It has a part that is in no other text. */
const values = fc
  .tuple(
    fc.string({
      unit: fc.constantFrom(...Array.from('aé€ß\u{1f600} +%&@.,;:\'"\\/<>=?#-_~*()[]{}\n\t\u0000\u001b\u00a04u')),
      maxLength: 12
    }),
    binaryText({ maxLength: 5 })
  )
  .map(([before, after]) => `${before}çanary${after}é`)

for (const [name, encode] of Object.entries(encoders))
  t.test(`a value is hidden in a text: ${name}`, async () => {
    fc.assert(
      fc.property(values, (value) => {
        const hide = new Redaction(['email']).hiderOf(bytes({ email: value }))
        const text = hide(`refused: ${encode(value)} , again`)
        return text.startsWith('refused: ') && text.endsWith(' , again') && !/anary/i.test(text)
      }),
      { numRuns: 300 }
    )
  })

t.test('a form of a text with its places is that without them', async () => {
  const unit = fc.constantFrom(
    ...Array.from('aZéΣςß\u{10400}\ud801 +%&;\\{}nu0041xE9\n\t\u0008\u00a0#'),
    '%c3%a9',
    '\\u00e9',
    '&amp;'
  )
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 30 }), (text) => {
      const [oneForm, oneCase] = [inOneForm(text), inOneCase(text)]
      return (
        formOf(text) === oneForm.text && caseOf(text) === oneCase.text && oneForm.starts.length === oneForm.text.length
      )
    }),
    { numRuns: 2_000 }
  )
})

t.test('a value is found beside signs that would make it part of an escape', async (t) => {
  const hide = new Redaction(['street', 'user', 'tail']).hiderOf(
    bytes({ street: '41 Main St', user: 'nadine', tail: 'Ada 50%' })
  )
  t.equal(hide(String.raw`at %41 Main St, in C:\nadine, Ada 50%41.`), String.raw`at %••••, in C:\••••, ••••41.`)
})

t.test('other texts stay as they are, with their escapes', async (t) => {
  const hide = new Redaction(['name']).hiderOf(bytes({ name: 'Ada Lovelace' }))
  for (const text of [
    String.raw`a\u0041 %41 &amp; C:\new\\file +1 é İß`,
    '',
    '%',
    '\\',
    '&;',
    '%%%',
    '\\u{110000}&#x110000;'
  ])
    t.equal(hide(text), text)
})

t.test('an address is found wherever it is, and however its sign is written', async (t) => {
  const far = `${'word '.repeat(20_000)}ada@x.example`
  t.equal(shown([], { far }), `{"far":"•••• (string, ${far.length})"}`)
  t.equal(new Redaction([]).text('no ada@x.example', bytes({ far })), 'no ••••')
  for (const note of [
    'to=ada%40x.example',
    'to=ada%252540x.example',
    'a%2Bda%40x%2Eexample',
    String.raw`{"to":"ada\u0040x.example"`,
    'ada&#64;x.example',
    'ada&#x40;x.example',
    'ada&commat;x.example',
    'ada@xn--bcher-kva.xn--p1ai'
  ])
    t.equal(shown([], { note }), `{"note":"•••• (string, ${note.length})"}`, note)
  for (const note of ['50%40', 'react@18.2.0', '@ada', 'a@b', 'x@y.z', '@@@@', '&#64;'])
    t.equal(shown([], { note }), JSON.stringify({ note }), note)
})

t.test('names of fields with an address are hidden, and their fields stay apart', async (t) => {
  const body = { seats: { 'ada@x.example': 1, 'bob%40x.example': 2, free: 3 } }
  t.equal(shown([], body), '{"seats":{"•••• (name 1)":1,"•••• (name 2)":2,"free":3}}')
  t.equal(new Redaction([]).text('no seat of ADA@x.example, bob@x.example', bytes(body)), 'no seat of ••••, ••••')
})

t.test('a text that is JSON is masked as a part of the payload', async (t) => {
  const inner = { customer: { name: 'Ada Lovelace' }, total: 1, note: 'to bob@x.example' }
  const paths = ['**.customer.name']
  const message = JSON.stringify(inner)
  t.same(JSON.parse((JSON.parse(shown(paths, { message })) as { message: string }).message), {
    customer: { name: '•••• (string, 12)' },
    total: 1,
    note: '•••• (string, 16)'
  })
  t.notMatch(shown(paths, { a: JSON.stringify([JSON.stringify({ message })]) }), /Lovelace|bob/, 'also in each other')
  t.notMatch(
    shown(paths, { a: JSON.stringify('{"customer":{"name":"Lovelace"}}') }),
    /Lovelace/,
    'also as the JSON of a text'
  )
  const hide = new Redaction(paths).hiderOf(bytes({ message }))
  t.equal(hide('no ada lovelace; total 1'), 'no ••••; total 1')
  const plain = '{ "id" : 820982911946154508, "total" : 1.10,\n"sku" : "\\u00e9" }'
  t.same(JSON.parse(shown(paths, { plain })), { plain }, 'unchanged, it is as it arrived')
  for (const twice of ['{"customer":{"name":"Ada"},"customer":{}}', '{"note":"ada@x.example","note":"b"}'])
    t.notMatch(shown(paths, { twice }), /ada/i, 'two fields of one name')
})

// Risk: a sender fills the memory of the server, with a body that holds many names.
t.test('the places of a bounded number of names are kept, however many fields an event has', async (t) => {
  const paths = new FieldPaths(['**.email', '**.*phone*', 'data.*.street'])
  for (let at = 0; at < 3 * mostKept; at += 1) {
    const places = paths.next(paths.next(paths.begin(), `phone${at}`), 'x'.repeat(at))
    paths.next(places, `${at}email`)
    if (paths.keptNames > mostKept) t.fail(`${paths.keptNames} names are kept`)
  }
  t.ok(paths.keptNames > 0)
  t.equal(paths.next(paths.begin(), 'email'), paths.next(paths.begin(), 'email'))
})
