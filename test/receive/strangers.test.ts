import { createHmac } from 'node:crypto'
import t from 'tap'

import { digitalRiver, type Source } from '../../src/index.ts'
import { event, listen, post, secret, signatureHeaders, startReceiver } from './receiver.ts'
import { keyOf } from '../event-keys.ts'

// Risk: the server, for one small request from an unknown sender.
t.test('a request of an unknown sender is a 401, with any content and any source', async (t) => {
  const broken: Source = {
    ...digitalRiver(),
    verifier: (secrets) => ({
      ...digitalRiver().verifier(secrets),
      explain: ({ body }) => (body.length > 100 ? (Promise.reject(new Error('later')) as never) : nothing())
    })
  }
  const nothing = (): never => {
    throw new Error('at once')
  }
  const nested = (depth: number) =>
    Buffer.from(
      `[${Array<string>(6)
        .fill('['.repeat(depth) + ']'.repeat(depth))
        .join(',')}]`
    )
  for (const source of [digitalRiver(), broken]) {
    const { url, lines } = await listen(await startReceiver(t, { source }))
    for (const body of [nested(3_000), nested(80_000), event(), Buffer.from('[]')]) {
      t.equal((await post(url, body, signatureHeaders(body, 'whk_other'))).status, 401)
    }
    const failures = lines.filter(({ msg }) => msg.includes('failed to explain'))
    t.match(
      failures.map(({ err }) => err).slice(-2),
      source === broken ? [{ message: 'later' }, { message: 'at once' }] : []
    )
  }
})

t.test(
  'old or large requests are not examined for the log: no oracle for captured ones, no cost of hashing',
  async (t) => {
    let looks = 0
    const source: Source = {
      ...digitalRiver(),
      verifier: (secrets) => ({
        ...digitalRiver().verifier(secrets),
        explain: () => {
          looks += 1
          return 'x'.repeat(1e6)
        }
      })
    }
    const { url, lines } = await listen(await startReceiver(t, { source }))
    const send = async (body: Buffer, at?: Date) => {
      await post(url, body, signatureHeaders(body, 'whk_other', at))
    }
    await send(event(), new Date(Date.now() - 3_600_000))
    await send(Buffer.alloc(300_000, ' '))
    t.equal(looks, 0)
    await send(event())
    t.equal(looks, 1)
    t.ok(String(lines.at(-1)!['reason']).length < 700)
  }
)

t.test(
  'a valid signature with an unreadable time is refused with the time in the log, or accepted if allowed',
  async (t) => {
    const body = event({ id: 'e1' })
    const text = '01/02/2026 10:00:00'
    const headers = {
      'DigitalRiver-Signature': `${text}, ${createHmac('sha256', secret).update(`${text}.`).update(body).digest('base64')}`
    }
    const { url, lines } = await listen(await startReceiver(t))
    t.equal((await post(url, body, headers)).status, 401)
    t.match(
      lines.at(-1)!['reason'],
      /signature is right, but its timestamp "01\/02\/2026 10:00:00" cannot be read.*RIVERHOOK_TIMESTAMPS=any/
    )
    for (const secrets of [secret, () => [secret]]) {
      const any = await listen(await startReceiver(t, { timestamps: 'any', secrets }))
      t.equal((await post(any.url, body, headers)).status, 202)
      const { receipt } = (await any.app.riverhook.inbox.event(keyOf('e1')))!
      t.same([receipt.secret, receipt.signedAt, receipt.skewMs], [1, undefined, undefined])
      t.same((await post(any.url, body, headers)).body, { id: 'e1', status: 'duplicate' }, 'a replay')
      t.equal(
        (await post(any.url, body, signatureHeaders(body, secret, new Date(Date.now() - 3_600_000)))).status,
        401,
        'a readable time'
      )
    }
  }
)

// Risk: the vault, for anyone who sends thousands of requests.
t.test(
  'the function for the secrets is called only for plausible requests, and once for simultaneous ones',
  async (t) => {
    let calls = 0
    const gate = Promise.withResolvers<string>()
    let arrived = 0
    const count = (): void => {
      if ((arrived += 1) === 20) gate.resolve(secret)
    }
    const secrets = async () => ((calls += 1) === 1 ? secret : gate.promise)
    const { url, lines } = await listen(
      await startReceiver(t, { secrets }, (app) =>
        app.addHook('preHandler', (_request, _reply, done) => {
          count()
          done()
        })
      )
    )
    const body = event({ id: 'e1' })
    const signedAt = (text: string) =>
      `${text}, ${createHmac('sha256', secret).update(`${text}.`).update(body).digest('base64')}`
    const refusals = [
      [undefined, /no DigitalRiver-Signature/],
      ['x', /malformed/],
      [','.repeat(50), /malformed/],
      [
        `soon, ${'A'.repeat(43)}=`,
        /no secret matched .*timestamp cannot be read as a time, so the function for the secrets was not called/
      ],
      [signedAt('soon'), /signature is right, but its timestamp "soon" cannot be read/],
      [signedAt('0'), /signature is right/]
    ] as const
    for (const [value, reason] of refusals) {
      t.equal((await post(url, body, { 'DigitalRiver-Signature': value })).status, 401)
      t.match(lines.at(-1)!['reason'], reason)
    }
    t.match(lines.at(-1)!['reason'], /signature is right, but its timestamp "0" is .* old/, 'the last secrets show it')
    t.equal(calls, 1, 'at the start')
    arrived = 0
    const answers = Array.from({ length: 20 }, () => post(url, body))
    t.same(new Set((await Promise.all(answers)).map(({ status }) => status)), new Set([202]))
    t.equal(calls, 2)
  }
)

// Risk: forged events from anyone who sends a request. A merchant's source may be written in JavaScript.
t.test('a source without a clear verdict accepts no request, and its rejected promise ends no process', async (t) => {
  const real = digitalRiver()
  const later = () => Promise.reject(new Error('later'))
  const promised = () => Promise.resolve({ ok: true, secret: 1, signedAt: new Date() })
  const garbage = [
    promised,
    later,
    () => undefined,
    () => null,
    () => true,
    () => ({}),
    () => ({ ok: 1 }),
    () => ({ ok: 'no' })
  ]
  const body = event()
  const send = async (source: object, signedWith: string, secrets: string | (() => string) = secret) => {
    const { app, lines } = await startReceiver(t, { source: { ...real, ...source }, secrets })
    const answer = await app.inject({
      method: 'POST',
      url: '/webhooks/digital-river',
      payload: body,
      headers: { 'content-type': 'application/json', ...signatureHeaders(body, signedWith) }
    })
    return [answer.statusCode, lines.at(-1)?.['reason']] as const
  }
  for (const give of garbage) {
    // A promise of verify() is awaited.
    const isAwaited = give === promised || give === later
    const asked: readonly (readonly [method: string, Promise<readonly [number, unknown]>])[] = [
      ...(isAwaited
        ? []
        : [['verify', send({ verifier: () => ({ verify: give, explain: () => undefined }) }, 'whk_other')] as const]),
      ['precheck', send({ precheck: give }, 'whk_other', () => secret)],
      ['read', send({ read: give }, secret)]
    ]
    for (const [method, sent] of asked) {
      const [status, reason] = await sent
      t.equal(status, 500, `${method} gives ${String(give)}`)
      t.match(
        reason,
        new RegExp(
          `^${method}\\(\\) of the source digital-river must return an object whose "ok" is true or false; it returned `
        )
      )
    }
  }
  for (const verdict of [
    { ok: true },
    { ok: true, secret: 1n },
    { ok: true, secret: 1, signedAt: new Date(), skewMs: NaN }
  ]) {
    const [status, reason] = await send(
      { verifier: () => ({ verify: () => verdict, explain: () => undefined }) },
      secret
    )
    t.equal(status, 500)
    t.match(reason, /^verify\(\) of the source digital-river must return "secret" as a whole number/)
  }
  for (const schemaOf of [
    later,
    () => null,
    () => true,
    () => ({ type: 'nonsense' }),
    () => {
      throw new Error('no')
    }
  ]) {
    const [status, reason] = await send({ schemaOf }, secret)
    t.equal(status, 500)
    t.match(
      reason,
      /^schemaOf\(\) of the source must return a JSON Schema or undefined for order.accepted: .*RIVERHOOK_VALIDATE=off/
    )
  }
  for (const [changes, message] of [
    [{ liveMode: 'yes' }, /"liveMode" must be boolean/],
    [{ data: undefined }, /"data.object" must be object/],
    [{ data: { object: null } }, /"data.object" must be object/]
  ] as const) {
    const [status, reason] = await send(
      { read: () => ({ ok: true, event: { ...(JSON.parse(body.toString()) as object), ...changes } }) },
      secret
    )
    t.same([status, message.test(String(reason))], [400, true])
  }
})

t.test(
  'a source that verifies asynchronously: its verdict is awaited, and a rejection accepts no request',
  async (t) => {
    const verdicts: readonly [verify: () => unknown, status: number, reason?: RegExp][] = [
      [() => Promise.resolve({ ok: true, secret: 1 }), 202],
      [() => Promise.resolve({ ok: false, reason: 'no_match', detail: 'no key matched' }), 401, /^no key matched/],
      [() => Promise.resolve(undefined), 500, /^verify\(\) of the source digital-river must return an object/],
      [() => Promise.reject(new Error('no certificate')), 500, /no certificate/]
    ]
    for (const secrets of [secret, () => secret]) {
      for (const [verify, status, reason] of verdicts) {
        const source = { ...digitalRiver(), verifier: () => ({ verify }) } as unknown as Source
        const { url, lines } = await listen(await startReceiver(t, { source, secrets }))
        t.equal((await post(url, event({ id: 'e1' }))).status, status)
        if (reason !== undefined) t.match(lines.at(-1)!['reason'], reason)
      }
    }
    const never = { ...digitalRiver(), verifier: () => ({ verify: () => new Promise(() => undefined) }) }
    const { url, lines } = await listen(await startReceiver(t, { source: never as unknown as Source, ackTimeout: 400 }))
    t.equal((await post(url, event({ id: 'e1' }))).status, 500)
    t.match(lines.at(-1)!['reason'], /did not answer within/)
  }
)

t.test('an invalid secret or verifier stops the start, with any source', async (t) => {
  const open: Source = {
    ...digitalRiver(),
    verifier: () => ({ verify: () => ({ ok: true, secret: 1 }), explain: () => undefined })
  }
  for (const secrets of [[], [''], [' '], ['\0'], [undefined]]) {
    const { app } = await startReceiver(t, { source: open, secrets: () => secrets as string[] })
    await t.rejects(
      async () => {
        await app.ready()
      },
      { code: 'RIVERHOOK_SOURCE_SECRET' }
    )
  }
  for (const verifier of [() => undefined, () => ({}), () => Promise.reject(new Error('later'))]) {
    await t.rejects(startReceiver(t, { source: { ...open, verifier } as unknown as Source }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /Option "source": verifier\(\)/
    })
  }
})
