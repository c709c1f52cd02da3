import t from 'tap'

import { hmacSource, type HmacSourceOptions } from '../../../src/sources.ts'

// Risk: a mistake in a description that a forger finds, instead of an error with its name at the start.

const base = {
  name: 'payments',
  header: 'X-Signature',
  id: { field: 'id' },
  type: { field: 'kind' }
} satisfies HmacSourceOptions

const wrong: readonly (readonly [options: object, message: RegExp])[] = [
  [{ algorithm: 'md5' }, /option "algorithm" must be 'sha1', 'sha256', 'sha384' or 'sha512'; got the string "md5"/],
  [{ encoding: 'base32' }, /option "encoding" must be 'hex', 'base64' or 'base64url'/],
  [{ header: 'X Signature' }, /option "header" must be the name of a header/],
  [{ header: [] }, /option "header" must be the name of a header, such as "X-Signature", or a list of at least one/],
  [{ prefix: '' }, /option "prefix" must be a text that is not empty/],
  [{ separator: 'v1' }, /option "separator" must be a text .* holds no character of a signature/],
  [{ fields: { timestamp: 't' } }, /option "fields.signature" is missing/],
  [
    { fields: { signature: 'v1', timestmap: 't' } },
    /"fields.timestmap" is unknown|unknown option "fields.timestmap"; did you mean "timestamp"/
  ],
  [
    { signed: '{timestmp}.{body}' },
    /option "signed" has the unknown placeholder \{timestmp\}; known are \{id\}, \{timestamp\}, \{body\}/
  ],
  [{ signed: '{timestamp' }, /option "signed" has a brace that belongs to no placeholder/],
  [{ signed: 'v0' }, /option "signed" must hold \{body\}/],
  [
    { signed: '{timestamp}.{body}' },
    /"signed" holds \{timestamp\}: say where the time is, with "timestampHeader" or "fields.timestamp"/
  ],
  [
    { timestampHeader: 'X-Time' },
    /"timestampHeader" is a time that anybody can change: "signed" must hold \{timestamp\}/
  ],
  [{ fields: { signature: 'v1', timestamp: 't' } }, /"fields.timestamp" is a time that anybody can change/],
  [
    { timestampHeader: 'X-Time', fields: { signature: 'v1', timestamp: 't' }, signed: '{timestamp}{body}' },
    /exclude each other/
  ],
  [{ timestampFormat: 'iso' }, /option "timestampFormat" has no effect/],
  [{ tolerance: '5m' }, /option "tolerance" has no effect: no time is signed/],
  [{ tolerance: 'soon' }, /option "tolerance" must be a span of time/],
  [{ signed: '{id}.{body}' }, /"signed" holds \{id\}: "id" must be \{ header: 'NAME' \}, the header that is signed/],
  [{ id: 'body' }, /option "id" must be \{ header: 'NAME' \}, \{ field: 'PATH' \}, 'digest' or a function/],
  [{ id: { haeder: 'X-Id' } }, /unknown option "id.haeder"; did you mean "header"\?/],
  [{ id: { header: 'X-Id', field: 'id' } }, /option "id" must be/],
  [{ type: 'digest' }, /option "type" must be \{ header: 'NAME' \}, \{ field: 'PATH' \} or a function/],
  [{ type: { field: 'a..b' } }, /option "type.field" must be the path of a field of the body/],
  [{ type: undefined }, /option "type" is missing/],
  [{ key: { encoding: 'base32' } }, /option "key.encoding" must be 'utf8', 'hex' or 'base64'/],
  [
    { keep: ['x-id', 'X-SIGNATURE'] },
    /option "keep" must not hold "X-SIGNATURE": a signature is not stored with the event/
  ],
  [{ id: { header: 'x-signature' } }, /option "id.header" must not hold "x-signature": a signature is not stored/],
  [{ type: { header: 'X-Signature' } }, /option "type.header" must not hold "X-Signature": a signature/],
  [{ createdTime: { header: 'X-Token' }, signatureHeaders: ['x-token'] }, /option "createdTime.header" must not hold/],
  [{ keep: ['Authorization'] }, /option "keep" must not hold "Authorization": credentials are not stored/],
  [{ id: { header: 'Cookie' } }, /option "id.header" must not hold "Cookie": credentials are not stored/],
  [
    { fields: { signature: 'v1', timestamp: 'v1' }, signed: '{timestamp}{body}' },
    /"fields.signature" and "fields.timestamp" must differ/
  ],
  [
    { timestampHeader: 'x-signature', signed: '{timestamp}{body}' },
    /option "timestampHeader" must not be the header of the signature/
  ],
  [{ mediaTypes: ['text'] }, /option "mediaTypes" must be a list of media types without parameters/],
  [{ mediaTypes: ['text/plain; charset=utf-8'] }, /option "mediaTypes" must be a list of media types/],
  [{ methods: ['get'] }, /option "methods" must be a list of HTTP methods in capitals/],
  [{ prefix: ' sha256=' }, /option "prefix" must be a text that is not empty, and begins with no white space/],
  [{ prefix: 'a, ', separator: ',' }, /option "prefix" must not hold the "separator"/],
  [{ prefix: 'a,', fields: { signature: 'v1' } }, /option "prefix" must not hold the "separator"/],
  [{ limits: { answerMS: 1 } }, /unknown option "limits.answerMS"; did you mean "answerMs"\?/],
  [{ signatureHeader: 'x' }, /unknown option "signatureHeader"; did you mean "header"\?/],
  [{ greet: 'hello' }, /option "greet" must be a function/]
]

for (const [options, message] of wrong) {
  t.test(`refused: ${JSON.stringify(options)}`, async (t) => {
    t.throws(() => hmacSource({ ...base, ...options } as never), { code: 'RIVERHOOK_OPTIONS_INVALID', message })
  })
}

t.test('all mistakes are reported at once, with the name of the source', async (t) => {
  t.throws(() => hmacSource({ ...base, algorithm: 'md5', sgined: '{body}', id: 5 } as never), {
    message:
      /^hmacSource "payments": 3 settings are wrong\n {2}- option "id" [^\n]*\n {2}- option "algorithm" [^\n]*\n {2}- unknown option "sgined"; did you mean "signed"\?$/m
  })
  t.throws(() => hmacSource({ ...base, signed: '{id}{timestamp}{body}', tolerance: undefined }), {
    message: /2 settings are wrong[^]*\{timestamp\}[^]*\{id\}/
  })
  t.throws(() => hmacSource(undefined as never), {
    message: 'hmacSource: the options must be an object; got undefined'
  })
})

t.test('an undefined option means its default', async (t) => {
  const source = hmacSource({
    ...base,
    algorithm: undefined,
    tolerance: undefined,
    greet: undefined,
    payloadPath: undefined
  })
  t.notOk('greet' in source)
  t.same(source.payloadPath, ['payload'])
  t.equal(source.limits, undefined)
})

t.test('the other members of the contract are passed on', async (t) => {
  const given = {
    withdrawnTypes: ['old'],
    inferredTypes: ['new'],
    schemaOf: () => ({}),
    payloadPath: ['payload', 'data'],
    methods: ['GET'],
    greet: () => undefined,
    split: () => [],
    answer: () => ({ status: 200 }),
    secretSteps: 'in the dashboard',
    requestOf: () => ({ headers: {}, body: Buffer.alloc(0) })
  } as const
  const source = hmacSource({
    ...base,
    ...given,
    types: ['new', 'old'],
    keep: ['X-Region'],
    id: { header: 'X-Id' },
    mediaTypes: ['text/plain'],
    form: 'payload',
    signatureHeaders: ['X-Token'],
    limits: { answerMs: 5_000 },
    timestampHeader: 'X-Time',
    signed: '{timestamp}{body}',
    tolerance: '1h'
  })
  t.match(source, given)
  t.match(source, {
    name: 'payments',
    types: ['new', 'old'],
    keep: ['x-id', 'x-region'],
    mediaTypes: ['text/plain', 'application/x-www-form-urlencoded'],
    signatureHeaders: ['x-signature', 'x-token'],
    limits: { answerMs: 5_000, toleranceMs: 3_600_000 }
  })
})

t.test('unusable secrets are refused at the start, by their position', async (t) => {
  const base64 = hmacSource({ ...base, key: { encoding: 'base64', prefix: 'whsec_' } })
  const refused = (secrets: readonly string[], message: RegExp, source = base64) =>
    t.throws(() => source.verifier(secrets), { code: 'RIVERHOOK_SOURCE_SECRET', message })
  refused([], /no signing secret/)
  refused(['whsec_AP8Q', 'whsec_AP8Q\n'], /number 2 is not Base64: copy it whole from the provider/)
  refused(['whsec_'], /number 1 is not Base64/)
  refused(['whsec_AAAA'], /number 1 is a key of zeros, which anybody can guess/)
  refused(['0ff'], /number 1 is not hexadecimal/, hmacSource({ ...base, key: { encoding: 'hex' } }))
  refused(['  '], /number 1 is empty/, hmacSource(base))
})
