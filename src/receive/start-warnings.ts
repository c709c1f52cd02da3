import type { EventMode } from '../model/event.ts'
import type { Log } from '../model/log.ts'
import { unwrapSecret } from '../model/unwrap.ts'
import type { Source } from '../source/source.ts'
import type { Checks } from './authenticate/authenticate.ts'
import type { SignatureCheck } from './authenticate/signature.ts'
import type { TokenClient } from './token-endpoint/token-request.ts'

/** An endpoint as its credentials are judged. */
export interface JudgedEndpoint extends Omit<Checks, 'tokens'> {
  readonly mode: EventMode | undefined
  readonly realm: string
  /** Whether the options name the realm. */
  readonly isRealmGiven: boolean
  readonly source?: Pick<Source, 'name'>
  readonly tokenEndpoint?: { readonly clients: readonly TokenClient[]; readonly keys: unknown } | undefined
}

/** Logs likely mistakes in the credentials that do not prevent the start. Never logs a credential. */
export function warnAtStart(
  endpoints: readonly JudgedEndpoint[],
  checks: readonly SignatureCheck[],
  log: Pick<Log, 'warn'>
): void {
  for (const endpoint of endpoints) {
    const check = checks.find(({ path }) => path === endpoint.path)
    for (const { name } of findSecrets('signing secret', check?.secrets ?? [], isWrapped))
      log.warn(
        { endpoint: endpoint.path },
        `the ${name} has white space or quotes around it, which count as part of it: remove them if the provider's secret has none`
      )
    for (const { name, why } of weakIn(endpoint, check)) {
      log.warn({ endpoint: endpoint.path }, `the ${name} ${why}: anybody could send events to this endpoint`)
    }
    const ofSource = endpoints.filter(({ source }) => source?.name === endpoint.source?.name)
    if (ofSource.length > 1 && endpoint.mode === undefined) {
      log.warn(
        { endpoint: endpoint.path },
        "one of several endpoints has no `mode`: set it to 'test' or 'live', or its credentials can be used to send events of the other kind"
      )
    }
  }
  for (const { realm, paths } of mixedRealms(endpoints, checks))
    log.warn(
      { realm, endpoints: paths },
      "endpoints with different secrets share a realm that no option names: anybody who has the secret of one can send an event with the id of another's, which then counts as its duplicate and is not handled. Give each its own `realm`, or the same one to all that get the same events"
    )
  for (const [index, check] of checks.entries()) {
    // One secret at two endpoints is most likely a copying mistake: every webhook has its own secret.
    const twin = checks.slice(index + 1).find(({ secrets }) => secrets.some((secret) => check.secrets.includes(secret)))
    if (twin === undefined) continue
    log.warn(
      { endpoints: [check.path, twin.path] },
      'two endpoints share a signing secret: are test and live mixed up? Each webhook has its own'
    )
  }
}

/** The realms that endpoints without a common signing secret have by default. */
function mixedRealms(
  endpoints: readonly JudgedEndpoint[],
  checks: readonly SignatureCheck[]
): readonly { readonly realm: string; readonly paths: readonly string[] }[] {
  const byDefault = endpoints.filter(({ isRealmGiven }) => !isRealmGiven)
  return [...Map.groupBy(byDefault, ({ realm }) => realm)].flatMap(([realm, of]) => {
    const signed = of.flatMap(({ path }) => checks.find((check) => check.path === path) ?? [])
    // Secrets that could not be read are not compared.
    const [first, ...others] = signed.filter(({ secrets }) => secrets.length > 0)
    const isMixed = others.some(({ secrets }) => !secrets.some((secret) => first?.secrets.includes(secret)))
    return isMixed ? [{ realm, paths: of.map(({ path }) => path) }] : []
  })
}

interface Weak {
  /** The credential's name, such as `signing secret number 1`. */
  readonly name: string
  readonly why: string
}

/** In characters. A generated secret has about 40; a password may be chosen by a person. */
const shortestSecret = 16
const shortestPassword = 8

function weakIn(
  { basicAuth, bearer, tokenEndpoint }: JudgedEndpoint,
  signature: SignatureCheck | undefined
): readonly Weak[] {
  const passwords = basicAuth === undefined ? [] : [basicAuth].flat().map(({ password }) => password)
  const tokens = typeof bearer === 'string' ? [bearer] : typeof bearer === 'function' ? [] : (bearer ?? [])
  const { clients = [], keys } = tokenEndpoint ?? {}
  const tokenKeys = [keys].flat().filter((key): key is string => typeof key === 'string')
  return [
    ...findWeak(
      'client secret',
      clients.map(({ clientSecret }) => clientSecret),
      shortestSecret
    ),
    ...findWeak('key of the tokens', tokenKeys, shortestSecret),
    ...findWeak('signing secret', signature?.secrets ?? [], shortestSecret),
    ...findWeak('password of basic authentication', passwords, shortestPassword),
    ...findWeak('bearer token', tokens, shortestSecret)
  ]
}

function findWeak(kind: string, values: readonly string[], shortest: number): readonly Weak[] {
  return findSecrets(kind, values, (value) =>
    isExample(value)
      ? 'is an example or a placeholder'
      : value.length < shortest
        ? `is shorter than ${shortest} characters and can be guessed`
        : undefined
  )
}

/** Finds the values with a problem, and names each by its position. */
function findSecrets(
  kind: string,
  values: readonly string[],
  problemOf: (value: string) => string | undefined
): readonly Weak[] {
  return values.flatMap((value, index) => {
    const why = problemOf(value)
    return why === undefined ? [] : [{ name: values.length === 1 ? kind : `${kind} number ${index + 1}`, why }]
  })
}

function isWrapped(value: string): string | undefined {
  return unwrapSecret(value) === value ? undefined : 'is wrapped'
}

/** Placeholders from documentation, ours and others', without `whk_` and punctuation. */
const examples = new Set([
  '',
  'example',
  'sample',
  'demo',
  'test',
  'testing',
  'live',
  'old',
  'new',
  'dev',
  'secret',
  'mysecret',
  'yoursecret',
  'topsecret',
  'supersecret',
  'secretkey',
  'signingsecret',
  'yoursigningsecret',
  'webhooksecret',
  'yourwebhooksecret',
  'ofsomebodyelse',
  'password',
  'passw0rd',
  'letmein',
  'admin',
  'token',
  'mytoken',
  'yourtoken',
  'changeme',
  'changethis',
  'replaceme',
  'replacethis',
  'placeholder',
  'default',
  'todo',
  'none',
  'null',
  'undefined',
  'qwerty'
])

function isExample(value: string): boolean {
  const plain = value
    .toLowerCase()
    .replace(/^(?:whk|whsec|sk)_/, '')
    .replaceAll(/[^a-z0-9]/g, '')
  return examples.has(plain) || /^(.)\1*$/.test(plain) || '12345678901234567890'.startsWith(plain)
}
