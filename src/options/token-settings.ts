import {
  findProblems,
  isAnyOf,
  isFunction,
  isListOf,
  isObjectOf,
  isSpan,
  isText,
  type OptionRule
} from '../model/option-rules.ts'
import type { TokenClient, TokenEndpointOptions } from './endpoint-options.ts'
import { isPath, isTexts, type Setting } from './setting.ts'

/** In characters. Shorter than any generated secret. */
const shortestClientSecret = 16
/** In characters. HS256 needs 256 bits. */
const shortestTokenKey = 32
const defaultTokenPath = '/oauth/token'

const clients: OptionRule = {
  expected: 'a list of clients, { clientID, clientSecret }',
  accepts: (value) => clientsProblem(value) === undefined,
  problem: clientsProblem
}

const clientFields = isObjectOf(
  { clientID: isText, clientSecret: isText, userName: isText, password: isText },
  'an object with clientID and clientSecret',
  ['clientID', 'clientSecret']
)

/** Never shows a value: each may be a secret. */
function clientsProblem(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length === 0) return 'must be a list of at least one { clientID, clientSecret }'
  const list: readonly unknown[] = value
  const problems = list.map((client) => {
    const [wrong] = findProblems(clientFields, client, '')
    if (wrong !== undefined) return `${wrong.name.slice(1)} ${wrong.problem}`.trim()
    const { clientSecret, userName, password } = client as TokenClient
    if (clientSecret.length < shortestClientSecret)
      return `clientSecret must have at least ${shortestClientSecret} characters`
    return (userName === undefined) === (password === undefined)
      ? undefined
      : 'userName and password belong together: give both or neither'
  })
  const index = problems.findIndex((problem) => problem !== undefined)
  if (index !== -1) return `has a mistake in client number ${index + 1}: ${problems[index] ?? ''}`
  const ids = (list as readonly TokenClient[]).map(({ clientID, clientSecret }) => `${clientID} ${clientSecret}`)
  return new Set(ids).size === ids.length ? undefined : 'has the same client twice'
}

const tokenKeys: OptionRule = {
  ...isAnyOf(
    `a text of at least ${shortestTokenKey} characters, a list of them, or a function that returns a list`,
    isTokenKey(),
    isListOf(isTokenKey(), 'a list', 1),
    isFunction
  ),
  problem: (value) =>
    typeof value === 'string' || isTexts.accepts(value)
      ? `must have at least ${shortestTokenKey} characters each: openssl rand -base64 32 makes one`
      : undefined
}

function isTokenKey(): OptionRule {
  return {
    expected: `a text of at least ${shortestTokenKey} characters`,
    accepts: (value) => typeof value === 'string' && value.length >= shortestTokenKey
  }
}

/** The settings of `tokenEndpoint`. */
export const tokenEndpointSettings = {
  path: {
    rule: isPath(defaultTokenPath),
    default: defaultTokenPath,
    env: 'RIVERHOOK_TOKEN_PATH',
    also: ['route', 'url', 'tokenPath'],
    means: 'The path at which the provider fetches tokens'
  },
  clients: {
    rule: clients,
    env: 'RIVERHOOK_TOKEN_CLIENTS',
    file: true,
    also: ['client'],
    means:
      'The clients that may fetch a token. As a variable, it switches [the token endpoint](oauth.md) on: one client a line, `ID SECRET` or `ID SECRET USER PASSWORD`; in code a list of `{ clientID, clientSecret, userName, password }`'
  },
  keys: {
    rule: tokenKeys,
    env: 'RIVERHOOK_TOKEN_KEYS',
    file: true,
    also: ['key', 'secret', 'secrets', 'signingKey'],
    means:
      'The keys that sign the tokens, each of at least 32 characters, comma-separated (in a file: or one a line). The first signs, all are valid. The file is read again when it changes'
  },
  lifetime: {
    rule: isSpan({ min: '1m', max: '24h', maxReason: 'a stolen token could be used for that long' }),
    default: '15m',
    env: 'RIVERHOOK_TOKEN_LIFETIME',
    also: ['expiresIn', 'ttl', 'maxAge'],
    means: 'How long a token is valid'
  }
} as const satisfies Record<keyof TokenEndpointOptions, Setting>
