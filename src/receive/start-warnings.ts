import type { EventMode } from '../model/event.ts'
import type { Log } from '../model/log.ts'
import type { Source } from '../source/source.ts'
import type { Checks } from './authenticate/authenticate.ts'
import type { SignatureCheck } from './authenticate/signature.ts'

/** Logs likely mistakes in the credentials that do not prevent the start. Never logs a credential. */
export function warnAtStart(
  endpoints: readonly (Checks & { readonly mode: EventMode | undefined; readonly source?: Pick<Source, 'name'> })[],
  checks: readonly SignatureCheck[],
  log: Pick<Log, 'warn'>
): void {
  for (const endpoint of endpoints) {
    for (const { name, why } of weakIn(
      endpoint,
      checks.find(({ path }) => path === endpoint.path)
    )) {
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

interface Weak {
  /** The credential's name, such as `signing secret number 1`. */
  readonly name: string
  readonly why: string
}

/** In characters. A generated secret has about 40; a password may be chosen by a person. */
const shortestSecret = 16
const shortestPassword = 8

function weakIn({ basicAuth, bearer }: Checks, signature: SignatureCheck | undefined): readonly Weak[] {
  const passwords = basicAuth === undefined ? [] : [basicAuth].flat().map(({ password }) => password)
  const tokens = typeof bearer === 'string' ? [bearer] : typeof bearer === 'function' ? [] : (bearer ?? [])
  return [
    ...findWeak('signing secret', signature?.secrets ?? [], shortestSecret),
    ...findWeak('password of basic authentication', passwords, shortestPassword),
    ...findWeak('bearer token', tokens, shortestSecret)
  ]
}

function findWeak(kind: string, values: readonly string[], shortest: number): readonly Weak[] {
  return values.flatMap((value, index) => {
    const why = isExample(value)
      ? 'is an example or a placeholder'
      : value.length < shortest
        ? `is shorter than ${shortest} characters and can be guessed`
        : undefined
    return why === undefined ? [] : [{ name: values.length === 1 ? kind : `${kind} number ${index + 1}`, why }]
  })
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
