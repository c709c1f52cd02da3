import type { Clock } from '../clock.ts'
import type { SimulatedWebhook } from './account.ts'

interface Token {
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly endsAt: number
}

/**
 * Fetches the bearer token of a webhook with the transport OAUTH, and keeps it until it ends. How the provider sends the client's
 * credentials is not known; this way is RFC 6749's: Basic, and the grant as a form.
 */
export class Tokens {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #byWebhook = new Map<string, Token>()

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** @throws {Error} when the endpoint gives none */
  async of({ id, oauth = {} }: SimulatedWebhook): Promise<string> {
    const now = this.#clock.now().getTime()
    const kept = this.#byWebhook.get(id)
    if (kept !== undefined && kept.endsAt > now) return kept.value
    const { tokenEndPoint = '', clientID = '', clientSecret = '', grantType = 'password', userName, password } = oauth
    const form = new URLSearchParams({ grant_type: grantType })
    if (grantType === 'password') {
      form.set('username', userName ?? '')
      form.set('password', password ?? '')
    }
    const authorization = `Basic ${Buffer.from(`${clientID}:${clientSecret}`).toString('base64')}`
    const signal = AbortSignal.timeout(this.#timeoutMs)
    const answer = await fetch(tokenEndPoint, { method: 'POST', body: form, headers: { authorization }, redirect: 'error', signal })
    const { access_token: value, expires_in: seconds = 300 } = (await answer.json()) as { access_token?: string; expires_in?: number }
    if (!answer.ok || value === undefined) throw new Error(`the token end point answered ${answer.status}`)
    this.#byWebhook.set(id, { value, endsAt: now + seconds * 1000 })
    return value
  }
}
