// eslint-disable-next-line @typescript-eslint/ban-ts-comment -- not everybody has the package
/** @ts-ignore: optional, for its types alone */
import type { operations } from '@octokit/openapi-webhooks-types'

import type { AnyEvent, CustomEventType } from '../model/event.ts'
import { checkAgainst, isOneOf, isText } from '../model/option-rules.ts'
import { usualPersonalPaths } from '../model/personal-paths.ts'
import { valuesAt } from '../model/values-at.ts'
import { githubApi, githubRegistration } from './api/github.ts'
import type { JsonObject } from './hmac/hmac-options.ts'
import { hmacSource } from './hmac/hmac-source.ts'
import type { HmacSource } from './hmac/signed-source.ts'
import type { IfInstalled } from './if-installed.ts'

/** An event of GitHub. Its payload is the body. */
export interface GitHubEventOf<Type extends string, Payload> extends AnyEvent {
  /** The header `X-GitHub-Event`, with the payload's `action` where it has one: `push`, `issues.opened`. */
  readonly type: Type
  readonly payload: Payload
}

/** As GitHub's description of its webhooks writes a name: `pull-request/review-requested`. */
type TypeOf<Name extends string> = Name extends `${infer Event}/${infer Action}`
  ? `${Snake<Event>}.${Snake<Action>}`
  : Snake<Name>
type Snake<Name extends string> = Name extends `${infer Start}-${infer Rest}` ? `${Start}_${Snake<Rest>}` : Name
type PayloadOf<Operation> = Operation extends {
  readonly requestBody?: { readonly content: { readonly 'application/json': infer Payload } }
}
  ? Payload
  : JsonObject
type KnownEvents<Operations> = {
  [Name in keyof Operations & string]: GitHubEventOf<TypeOf<Name>, PayloadOf<Operations[Name]>>
}[keyof Operations & string]

/**
 * Every event that GitHub may send: those of the package `@octokit/openapi-webhooks-types` where it is installed, and
 * one for all other types.
 */
export type GitHubEvent =
  | KnownEvents<IfInstalled<operations, Readonly<Record<string, unknown>>>>
  | GitHubEventOf<CustomEventType, JsonObject>

/** GitHub, with the place of the payload. */
export type GitHubSource = HmacSource<GitHubEvent> & { readonly payloadPath: readonly ['payload'] }

/** See `github`. */
export interface GitHubOptions {
  /** The name of the source, stored with every event. Default: `github`. */
  readonly name?: string | undefined
  /**
   * `delivery` (default): the header `X-GitHub-Delivery`, which is not signed. `digest`: the SHA-256 of the body,
   * which is: a captured request cannot be replayed under another id. Then two events with the same body are one.
   */
  readonly id?: 'delivery' | 'digest' | undefined
  /**
   * Whose webhooks `register` and `webhooks sync` keep: a repository `OWNER/NAME`, or an organisation. Default: the
   * variable `GITHUB_REPOSITORY`. The token is the option `apiKey`, or `GITHUB_TOKEN`.
   */
  readonly owner?: string | undefined
}

/**
 * GitHub, as JSON or as a form.
 *
 * - **Verified**: HMAC-SHA256 over the body, in the header `X-Hub-Signature-256`, keyed with the text of the secret.
 *   The older `X-Hub-Signature` (SHA-1) is not accepted.
 * - **Not signed**: the id (`X-GitHub-Delivery`), the name of the event (`X-GitHub-Event`) and any time. Anyone who
 *   captures one request can replay it under another id, at any time: see the option `id`.
 * - **Duplicates**: a redelivery has the same id and body. GitHub redelivers only on request.
 * - **Limits**: 10 s for an answer; a failed delivery can be redelivered for 3 days; payloads up to 25 MB, larger ones
 *   are not sent.
 *
 * The event is `{ id, type, payload }`; the type is `push`, or with the payload's action `issues.opened`.
 *
 * Facts: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries,
 * https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks,
 * https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries and
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the option
 */
export function github(options: GitHubOptions = {}): GitHubSource {
  checkAgainst({ name: isText, id: isOneOf('delivery', 'digest'), owner: isText }, options, 'github')
  const { name = 'github', id = 'delivery', owner } = options
  return name === 'github' && id === 'delivery' && owner === undefined ? byDefault : describe(name, id, owner)
}

/** The authors of commits, and what a scan found. The login of an account is public, and stays. */
const personal = [
  // The full name of a repository is not the name of a person.
  ...usualPersonalPaths.filter((path) => path !== '**.*full_name'),
  ...['pusher.name', 'tagger', 'alert.secret'].map((path) => `**.${path}`)
]

const describe = (name: string, id: 'delivery' | 'digest', owner?: string): GitHubSource =>
  hmacSource<GitHubEvent, readonly ['payload']>({
    name,
    header: 'X-Hub-Signature-256',
    prefix: 'sha256=',
    id: id === 'digest' ? 'digest' : { header: 'X-GitHub-Delivery' },
    type: ({ action }, { 'x-github-event': event }) =>
      typeof action === 'string' && event !== undefined ? `${event}.${action}` : event,
    keep: ['X-GitHub-Event'],
    payloadPath: ['payload'],
    form: 'payload',
    redact: personal,
    keysOf,
    limits: { answerMs: 10_000, retryMs: 72 * 3_600_000, bodyBytes: 26_214_400 },
    secretSteps: 'it is the secret that you gave the webhook: GitHub does not show it again',
    registration: githubRegistration,
    api: (options) => githubApi(options, owner),
    sentHeaders: ({ type = 'ping' }) => ({ 'X-GitHub-Event': type.split('.', 1)[0] ?? type }),
    sample: ({ type = 'ping' }) => (type.includes('.') ? { action: type.slice(type.indexOf('.') + 1) } : {})
  })

const idsAt = valuesAt([
  'payload.repository.full_name',
  'payload.after',
  'payload.pull_request.head.sha',
  'payload.check_run.head_sha',
  'payload.check_suite.head_sha',
  'payload.workflow_run.head_sha',
  'payload.workflow_run',
  'payload.release.tag_name',
  'payload.sender.login',
  'payload.organization.login'
])
const repositoryAt = valuesAt(['payload.repository.full_name'])
const numbersAt = valuesAt(['payload.issue.number', 'payload.pull_request.number', 'payload.discussion.number'])

/** An issue, a pull request or a discussion is found as `OWNER/NAME#NUMBER`. */
function keysOf(event: AnyEvent): readonly unknown[] {
  const [repository] = repositoryAt(event)
  const numbers = repository === undefined ? [] : numbersAt(event)
  return [...numbers.map((number) => `${String(repository)}#${String(number)}`), ...idsAt(event)]
}

const byDefault = describe('github', 'delivery')
