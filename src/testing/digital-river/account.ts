import { randomUUID } from 'node:crypto'

import type { Clock } from '../clock.ts'
import { Refusal } from './refuse.ts'
import { readCreate, readUpdate, type WebhookFields } from './read-request.ts'

/** A webhook at the provider; tests only read it. */
export interface SimulatedWebhook extends WebhookFields {
  readonly id: string
  readonly createdTime: string
  readonly updatedTime: string
  /** Consecutive deliveries of which every attempt failed. */
  readonly failedInARow: number
}

interface Secret {
  readonly value: string
  /** Milliseconds since the epoch; undefined: no end is set. */
  endsAt: number | undefined
}

/** The most that the dashboard shows. */
const mostSecrets = 5

/** The webhooks of one account in one mode, with their signing secrets, which only the dashboard shows. */
export class Account {
  readonly #clock: Clock
  readonly #firstSecret: string | undefined
  readonly #webhooks = new Map<string, SimulatedWebhook>()
  readonly #secrets = new Map<string, Secret[]>()

  constructor(clock: Clock, firstSecret: string | undefined) {
    this.#clock = clock
    this.#firstSecret = firstSecret
  }

  get webhooks(): readonly SimulatedWebhook[] {
    return [...this.#webhooks.values()]
  }

  /** @throws {Refusal} 404 */
  find(id: string): SimulatedWebhook {
    const webhook = this.#webhooks.get(id)
    if (webhook === undefined)
      throw new Refusal(404, `Webhook '${id}' not found.`, { code: 'not_found', parameter: 'id' })
    return webhook
  }

  /** @throws {Refusal} 400 */
  create(body: unknown): SimulatedWebhook {
    const now = this.#clock.now().toISOString()
    const webhook = { ...readCreate(body), id: randomUUID(), createdTime: now, updatedTime: now, failedInARow: 0 }
    this.#webhooks.set(webhook.id, webhook)
    this.#secrets.set(webhook.id, [{ value: this.#firstSecret ?? newSecret(), endsAt: undefined }])
    return webhook
  }

  /** @throws {Refusal} 400, 404 */
  update(id: string, body: unknown): SimulatedWebhook {
    const before = this.find(id)
    const fields = readUpdate(body, before)
    // Enabling a webhook resets the count of its failures.
    const failedInARow = fields.enabled && !before.enabled ? 0 : before.failedInARow
    return this.#store({ ...before, ...fields, failedInARow, updatedTime: this.#clock.now().toISOString() })
  }

  delete(id: string): void {
    this.find(id)
    this.#webhooks.delete(id)
    this.#secrets.delete(id)
  }

  /** Counts failed deliveries, and disables a webhook that keeps failing. @returns whether it was disabled now */
  ended(id: string, succeeded: boolean, disableAfter: number): boolean {
    const webhook = this.#webhooks.get(id)
    if (webhook === undefined) return false
    const failedInARow = succeeded ? 0 : webhook.failedInARow + 1
    const isDisabled = webhook.enabled && failedInARow >= disableAfter
    this.#store({ ...webhook, failedInARow, enabled: webhook.enabled && !isDisabled })
    return isDisabled
  }

  /** The secrets that sign now, oldest first. */
  secretsOf(id: string): readonly string[] {
    this.find(id)
    const now = this.#clock.now().getTime()
    return (this.#secrets.get(id) ?? [])
      .filter(({ endsAt }) => endsAt === undefined || endsAt > now)
      .map(({ value }) => value)
  }

  /** Makes a new secret, which signs at once. The others sign until the overlap ends. */
  rotateSecret(id: string, overlapMs: number): string {
    const live = this.secretsOf(id)
    if (overlapMs > 0 && live.length >= mostSecrets)
      throw new Refusal(409, `The webhook has ${mostSecrets} secrets already.`)
    const endsAt = this.#clock.now().getTime() + overlapMs
    const added = { value: newSecret(), endsAt: undefined }
    const kept = (this.#secrets.get(id) ?? []).filter(({ value }) => live.includes(value))
    for (const secret of kept) secret.endsAt = Math.min(secret.endsAt ?? Infinity, endsAt)
    this.#secrets.set(id, [...kept, added])
    return added.value
  }

  #store(webhook: SimulatedWebhook): SimulatedWebhook {
    this.#webhooks.set(webhook.id, webhook)
    return webhook
  }
}

/** The form of a secret in the dashboard: `whk_` and a UUID. It is text, neither Base64 nor hexadecimal. */
function newSecret(): string {
  return `whk_${randomUUID()}`
}
