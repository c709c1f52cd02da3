import { loggedError, messageOf } from '../../model/error-text.ts'
import { publish } from '../../model/channels.ts'
import type { Log } from '../../model/log.ts'
import { assertBegun } from '../../model/not-begun.ts'
import { byAge, describePlan, isSameAddress, type PlanLine } from './plan.ts'
import { apiOf, modeWarnings, pathWarning, wantOf, type RegistrationSettings } from './registration.ts'
import { repeat, type Repeated } from '../repeat.ts'
import { planSync, sync, type SyncResult, type Want } from './sync.ts'

/** What `onRegistrationDrift` is told: the webhook is no longer what the code wants. */
export interface RegistrationDrift {
  readonly endpoint: string
  readonly address: string
  /** Undefined when the webhook is gone. */
  readonly webhookId: string | undefined
  /** Empty when the webhook is gone. Holds no password and no secret. */
  readonly lines: readonly PlanLine[]
  /** True when it is put right now, because of `repair: true`. */
  readonly repaired: boolean
}

/** How the registration of an endpoint is at the moment. */
export interface RegistrationStatus {
  readonly endpoint: string
  readonly address: string
  /** `unknown` until the first answer of the provider, and while it cannot be asked. */
  readonly state: 'unknown' | 'in_sync' | 'drifted'
  readonly webhookId: string | undefined
  readonly checkedAt: Date | undefined
  /** How often it was found to have drifted since the start. */
  readonly drifts: number
  readonly lastError: string | undefined
}

export interface KeepRegistrationOptions extends RegistrationSettings {
  /** The endpoint's path, for the log. */
  readonly endpoint: string
  /** The path at which the endpoint is served, with the prefix of the plugin. Default: `endpoint`. */
  readonly servedAt?: string
  /** How often it is looked at. */
  readonly everyMs: number
  /** Whether drift is put right, or only told. */
  readonly repair: boolean
  readonly log: Log
  readonly onDrift?: ((drift: RegistrationDrift) => unknown) | undefined
}

export interface KeptRegistration extends Repeated {
  readonly status: () => RegistrationStatus
}

/**
 * Registers the endpoint, then looks every now and then whether the provider still has it as the code wants it. Runs
 * in the background: a provider that cannot be reached never holds up the start, and is asked again with growing
 * pauses.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when no key is given
 */
export function keepRegistration(options: KeepRegistrationOptions): KeptRegistration {
  const { endpoint, address, everyMs, repair, log, onDrift } = options
  const ending = new AbortController()
  const api = apiOf(options, ending.signal)
  const want = wantOf(options)
  const wantAtLeast = withFoundTypes(want, address)
  const wrongPath = pathWarning(address, options.servedAt ?? endpoint)
  if (wrongPath !== undefined) log.warn({ endpoint, address }, wrongPath)
  for (const warning of modeWarnings(options, api.mode)) log.warn({ endpoint, address }, warning)
  let status: RegistrationStatus = {
    endpoint,
    address,
    state: 'unknown',
    webhookId: undefined,
    checkedAt: undefined,
    drifts: 0,
    lastError: undefined
  }
  let registered = false
  const repeated = repeat(() => (registered ? watch() : register()), { everyMs, failed, ending })
  return { ...repeated, status: () => status }

  async function register(): Promise<void> {
    const done = await sync(api, want)
    registered = true
    synced(done)
  }

  async function watch(): Promise<void> {
    const plan = await planSync(api, wantAtLeast)
    const { found, lines, twins } = plan
    for (const { id } of twins)
      log.warn(
        { endpoint, address, webhook_id: id },
        'another webhook has the same address: every event is sent twice; delete one'
      )
    if (found !== undefined && lines.length === 0) {
      status = { ...status, state: 'in_sync', webhookId: found.id, checkedAt: new Date(), lastError: undefined }
      return
    }
    const drift: RegistrationDrift = {
      endpoint,
      address,
      webhookId: found?.id,
      lines: found === undefined ? [] : lines,
      repaired: repair
    }
    status = {
      ...status,
      state: 'drifted',
      webhookId: found?.id,
      checkedAt: new Date(),
      drifts: status.drifts + 1,
      lastError: undefined
    }
    const keys = { endpoint, address, webhook_id: found?.id, plan: describePlan(plan) }
    log.error(
      keys,
      found === undefined ? 'the webhook is gone: no event is sent' : 'the webhook is no longer as the code wants it'
    )
    publish('registration', { endpoint, address, webhook_id: found?.id, result: 'drifted' })
    tell(drift)
    if (!repair) return
    const done = await sync(api, wantAtLeast)
    synced(done)
  }

  function synced({ result, webhook, plan }: SyncResult): void {
    status = { ...status, state: 'in_sync', webhookId: webhook.id, checkedAt: new Date(), lastError: undefined }
    log.info(
      { endpoint, address, webhook_id: webhook.id, result, plan: describePlan(plan) },
      'the webhook is registered'
    )
    publish('registration', { endpoint, address, webhook_id: webhook.id, result })
    for (const warning of modeWarnings(options, undefined, webhook)) log.warn({ endpoint, address }, warning)
    for (const pattern of plan.unknown)
      log.warn(
        { endpoint, pattern },
        'a handler covers no event type that is known, so none is asked for: a spelling mistake? A new type can be named in register.types'
      )
    if (result === 'created') log.warn({ endpoint, address, webhook_id: webhook.id }, secretSteps)
  }

  function failed(error: unknown, nextMs: number): void {
    const reason = messageOf(error)
    status = { ...status, state: registered ? status.state : 'unknown', lastError: reason }
    log.warn(
      { endpoint, address, err: loggedError(error), next_ms: nextMs },
      'the registration could not be checked; retrying'
    )
    publish('registration', { endpoint, address, webhook_id: status.webhookId, result: 'failed' })
  }

  function tell(drift: RegistrationDrift): void {
    const fault = (error: unknown): void => {
      log.error({ err: loggedError(error), endpoint }, 'onRegistrationDrift failed')
    }
    try {
      Promise.resolve(onDrift?.(drift)).then(assertBegun).catch(fault)
    } catch (error) {
      fault(error)
    }
  }
}

/**
 * For the watch: types that are sent besides stay. While a new version is rolled out, replicas with other handlers
 * watch the same webhook, and each taking away what only the other wants would leave both without it half of the
 * time. The start of a replica, and a sync, take away.
 */
function withFoundTypes(want: Want, address: string): Want {
  return (webhooks) => {
    const { registration, unknown } = want(webhooks)
    const [found] = webhooks.filter((webhook) => isSameAddress(webhook.address, address)).sort(byAge)
    // A registration takes names alone. A pattern among them is a mistake, which would make every change of it fail.
    const besides = found?.types.filter((type) => !type.includes('*')) ?? []
    return {
      unknown,
      registration: { ...registration, types: [...new Set([...registration.types, ...besides])].sort() }
    }
  }
}

/** The API has no field for the signing secret and no operation that shows it: only the provider's dashboard does. */
export const secretSteps =
  "a new webhook has a signing secret of its own, which the API cannot tell: in Digital River's dashboard open Developers > Webhooks, " +
  'choose this webhook, reveal the secret (whk_...) with your password, and configure it here (secrets or RIVERHOOK_SECRETS). ' +
  'Until then its requests are answered 401 and the provider tries them again'
