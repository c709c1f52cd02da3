import type { Clock } from '../clock.ts'
import type { SimulatedWebhook } from './account.ts'
import type { Dialect } from './api.ts'

interface Token {
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly endsAt: number
}

type Way = 'basic' | 'form'

/**
 * Fetches the bearer token of a webhook with the transport OAUTH, and keeps it until it expires or is refused. How the
 * provider sends the client's credentials is not documented. RFC 6749, 2.3.1, has two ways: a Basic header, or form
 * fields.
 */
export class Tokens {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #client: NonNullable<Dialect['tokenClient']>
  readonly #byWebhook = new Map<string, Token>()
  /** Webhooks whose token endpoint refused the header and accepted the fields. */
  readonly #byForm = new Set<string>()

  constructor(clock: Clock, timeoutMs: number, client: Dialect['tokenClient'] = 'either') {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#client = client
  }

  /** @throws {Error} if the endpoint returns no token */
  async of({ id, oauth = {} }: SimulatedWebhook): Promise<string> {
    const now = this.#clock.now().getTime()
    const kept = this.#byWebhook.get(id)
    if (kept !== undefined && kept.endsAt > now) return kept.value
    const first = this.#client === 'either' ? (this.#byForm.has(id) ? 'form' : 'basic') : this.#client
    let answer = await this.#ask(oauth, first)
    if (this.#client === 'either' && first === 'basic' && (answer.status === 400 || answer.status === 401)) {
      answer = await this.#ask(oauth, 'form')
      if (answer.ok) this.#byForm.add(id)
    }
    if (!answer.ok) throw new Error(`the token endpoint answered ${answer.status}`)
    const { access_token: value, expires_in: seconds = 300 } = (await answer.json()) as {
      access_token?: string
      expires_in?: number
    }
    if (value === undefined) throw new Error('the token endpoint gave no access_token')
    this.#byWebhook.set(id, { value, endsAt: now + seconds * 1000 })
    return value
  }

  /** Called when the endpoint refused a request: the next attempt fetches another token. */
  forget(webhookId: string): void {
    this.#byWebhook.delete(webhookId)
  }

  async #ask(oauth: Readonly<Record<string, string>>, way: Way): Promise<Response> {
    const { tokenEndPoint = '', clientID = '', clientSecret = '', grantType = 'password', userName, password } = oauth
    const form = new URLSearchParams({ grant_type: grantType })
    if (grantType === 'password') {
      form.set('username', userName ?? '')
      form.set('password', password ?? '')
    }
    if (way === 'form') {
      form.set('client_id', clientID)
      form.set('client_secret', clientSecret)
    }
    const headers =
      way === 'form'
        ? {}
        : { authorization: `Basic ${Buffer.from(`${encoded(clientID)}:${encoded(clientSecret)}`).toString('base64')}` }
    return fetch(tokenEndPoint, {
      method: 'POST',
      body: form,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(this.#timeoutMs)
    })
  }
}

/** Encodes as in a form. RFC 6749 requires this in the header, too, so that the id may contain a colon. */
function encoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
