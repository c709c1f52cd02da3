import { randomUUID } from 'node:crypto'

import type { Event } from '../../index.ts'
import type { Clock } from '../clock.ts'
import type { Way } from '../scenarios.ts'
import type { Receiving, Wire, WireRequest } from '../sender.ts'
import { sign } from '../sign.ts'
import type { Account, SimulatedWebhook } from './account.ts'
import type { Dialect } from './api.ts'
import { Tokens } from './oauth-token.ts'

export interface RiverWireOptions {
  readonly account: Account
  readonly clock: Clock
  readonly timeoutMs: number
  readonly disableAfter: number
  /** The secret of the scenario `wrong-mode`. Undefined: an unknown one. */
  readonly otherModeSecret: string | undefined
  readonly dialect: Pick<Dialect, 'signatureOrder' | 'tokenClient'>
}

/** The account's webhooks, and the requests that Digital River sends to them. */
export class RiverWire implements Wire<Event> {
  readonly #options: RiverWireOptions
  readonly #tokens: Tokens
  #posts = 0

  constructor(options: RiverWireOptions) {
    this.#options = options
    this.#tokens = new Tokens(options.clock, options.timeoutMs, options.dialect.tokenClient)
  }

  subscribed(type: string): readonly Receiving[] {
    return this.#options.account.webhooks.filter(({ enabled, types }) => enabled && types.includes(type))
  }

  find(webhookId: string): SimulatedWebhook | undefined {
    return this.#options.account.webhooks.find(({ id }) => id === webhookId)
  }

  ended(webhookId: string, succeeded: boolean): void {
    this.#options.account.ended(webhookId, succeeded, this.#options.disableAfter)
  }

  answered(webhookId: string, status: number): void {
    if (status === 401) this.#tokens.forget(webhookId)
  }

  async request(
    { id }: Receiving,
    event: Event,
    { secret, mode }: Pick<Way, 'secret' | 'mode'>,
    at: Date
  ): Promise<WireRequest> {
    const { account, otherModeSecret = `whk_${randomUUID()}` } = this.#options
    const body = Buffer.from(JSON.stringify(mode === 'wrong' ? { ...event, liveMode: !event.liveMode } : event))
    // The webhook may have been deleted since the last request.
    const webhook = account.find(id)
    const secrets =
      mode === 'wrong'
        ? [otherModeSecret]
        : secret === 'wrong'
          ? [`whk_${randomUUID()}`]
          : this.#inOrder(account.secretsOf(id))
    const headers = {
      'content-type': 'application/json',
      ...sign({ body, secret: secrets, at }),
      ...(await this.#authorization(webhook))
    }
    return { headers, body }
  }

  /**
   * The provider does not document the order of the signatures during a rotation. A receiver that checks only the first
   * must not pass by luck.
   */
  #inOrder(oldestFirst: readonly string[]): readonly string[] {
    const { signatureOrder = 'alternating' } = this.#options.dialect
    this.#posts += 1
    const isNewestFirst = signatureOrder === 'newest' || (signatureOrder === 'alternating' && this.#posts % 2 === 0)
    return isNewestFirst ? oldestFirst.toReversed() : oldestFirst
  }

  async #authorization(webhook: SimulatedWebhook): Promise<Record<string, string>> {
    const { transportType, authentication } = webhook
    if (transportType === 'OAUTH') return { authorization: `Bearer ${await this.#tokens.of(webhook)}` }
    if (authentication?.username === undefined) return {}
    const { username, password = '' } = authentication
    return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
  }
}
