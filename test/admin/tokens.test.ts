import { createHash } from 'node:crypto'

import t from 'tap'

import { newToken, Tokens } from '../../src/admin/tokens.ts'
import { bearer, openDoor, tokenOf } from './door.ts'

const who = (answer: { json(): { operator: { name: string } | null } }) => answer.json().operator

t.test('a token has 32 random bytes, is not in its line, and comes in as its line names it', async (t) => {
  const { token, line } = newToken('alice', ['read', 'operate'])
  t.match(token, /^rha_[\w-]{43}$/)
  t.notMatch(line, token)
  t.match(line, /^alice read,operate sha256:[0-9a-f]{64}$/)
  const knock = await openDoor(t, { tokens: ['# people', '', line] })
  t.same(who(await knock({ headers: bearer(token) })), { name: 'alice', scopes: ['read', 'operate'], via: 'token' })
  t.same(who(await knock()), null)
})

t.test('a wrong token is refused, in the common form, and is in no log', async (t) => {
  const { token, line } = tokenOf('read')
  const log: string[] = []
  const knock = await openDoor(t, { tokens: line, log })
  const hash = line.split('sha256:')[1] ?? ''
  const wrong = [token.slice(0, -1), `${token}x`, token.toLowerCase(), hash, `sha256:${hash}`, 'x'.repeat(600), 'rha_']
  for (const [index, given] of wrong.entries()) {
    const answer = await knock({ headers: bearer(given), from: `10.0.0.${index}` })
    t.equal(answer.statusCode, 401, given)
    t.match(answer.json(), { code: 'RIVERHOOK_ADMIN_UNAUTHENTICATED', message: 'The token is not valid here' })
    t.equal(answer.headers['www-authenticate'], 'Bearer realm="riverhook"')
    t.notMatch(log.join(), given)
  }
})

// Risk: a token that a person made up, such as a password, whose hash is in the list.
t.test('a token of fewer than 43 characters is refused, even if its hash is in the list', async (t) => {
  const weak = 'correct horse battery staple'.replaceAll(' ', '-')
  const hash = createHash('sha256').update(weak).digest('hex')
  const knock = await openDoor(t, { tokens: `alice read sha256:${hash}` })
  t.equal((await knock({ headers: bearer(weak) })).statusCode, 401)
})

t.test('a wrong line stops the start, and is named by its number alone', async (t) => {
  const { token, line } = tokenOf('read')
  const wrong: [lines: string, problem: RegExp][] = [
    ['', /there is none/],
    ['# nothing\n\n', /there is none/],
    [`${line}\nalice read ${token}`, /entry 2 must end in sha256:/],
    [`alice read sha256:${'0'.repeat(63)}`, /entry 1 must end in sha256:/],
    [line.replace('read', 'admin'), /entry 1 has an unknown scope; there are read, reveal, operate, erase/],
    [line.replace('read', 'read,'), /entry 1 has an unknown scope/],
    [line.replace('alice', 'a'.repeat(201)), /entry 1 has a name that is too long/],
    [line.replace('alice ', ''), /entry 1 must have three parts/],
    [`${line} more`, /entry 1 must have three parts/],
    [`${line}\n${line.replace('alice', 'bob')}`, /entry 2 has the token of another line/]
  ]
  for (const [tokens, message] of wrong) {
    const error: unknown = await openDoor(t, { tokens }).catch((error: unknown) => error)
    t.match(error, { code: 'RIVERHOOK_OPTIONS_INVALID', message }, tokens)
    t.notMatch(String(error), token.slice(4, 20))
  }
})

t.test('a changed list takes effect at the next request; a wrong line in it ends only its own token', (t) => {
  const one = tokenOf('read')
  const two = tokenOf('operate')
  let lines: readonly string[] = [one.line, two.line]
  const logged: unknown[] = []
  const tokens = new Tokens(() => lines, { error: (keys: unknown) => logged.push(keys) } as never)
  t.ok(tokens.find(one.token))
  t.ok(tokens.find(two.token))
  lines = [two.line]
  t.notOk(tokens.find(one.token), 'a removed token is refused')
  t.ok(tokens.find(two.token))
  lines = ['nonsense', one.line]
  t.ok(tokens.find(one.token))
  t.notOk(tokens.find(two.token))
  t.same(logged, [{ problems: ['entry 1 must have three parts'] }])
  lines = []
  t.notOk(tokens.find(one.token), 'an empty list accepts no token')
  t.end()
})

t.test('an error while the list is read refuses the request', async (t) => {
  const { token, line } = tokenOf('read')
  let isGone = false
  const knock = await openDoor(t, {
    tokens: () => {
      if (isGone) throw new Error('the vault is sealed')
      return [line]
    }
  })
  t.equal((await knock({ headers: bearer(token) })).statusCode, 200)
  isGone = true
  const answer = await knock({ headers: bearer(token) })
  t.equal(answer.statusCode, 500)
  t.notMatch(answer.body, /vault/)
})

t.test('a token that is not ours is left to the login of the host', async (t) => {
  const { line } = tokenOf('read')
  const knock = await openDoor(t, {
    tokens: line,
    authenticate: ({ headers }) =>
      headers.authorization === 'Bearer of-the-host' ? { name: 'bob', scopes: ['operate'] } : undefined
  })
  t.match(who(await knock({ headers: bearer('of-the-host') })), { name: 'bob', via: 'host' })
  t.equal((await knock({ headers: bearer('unlisted') })).statusCode, 401)
})
