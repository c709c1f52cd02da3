import { loggedError, messageOf } from '../../model/error-text.ts'
import { publish } from '../../model/channels.ts'
import type { Log } from '../../model/log.ts'
import { assertBegun } from '../../model/not-begun.ts'
import { inBackground, type FindTracing } from '../../model/tracing.ts'
import { byAge, describePlan, isSameAddress, type Plan, type PlanLine } from './plan.ts'
import { apiOf, modeWarnings, pathWarning, wantedWebhook, type RegistrationSettings } from './registration.ts'
import { repeat, type Repeated } from '../repeat.ts'
import { planSync, sync, type SyncResult, type ComputeWanted } from './sync.ts'

/** Passed to `onRegistrationChange`: the webhook is no longer as the code wants it. */
export interface RegistrationChange {
  readonly endpoint: string
  readonly address: string
  /** Undefined when the webhook is gone. */
  readonly webhookId: string | undefined
  /** Empty when the webhook is gone. Holds no password and no secret. */
  readonly lines: readonly PlanLine[]
  /** True with `repair: true`: the webhook is now restored. */
  readonly repaired: boolean
}

/** The current state of an endpoint's registration. */
export interface RegistrationStatus {
  readonly endpoint: string
  readonly address: string
  /** `unknown` until the provider has answered for the first time. */
  readonly state: 'unknown' | 'in_sync' | 'changed'
  readonly webhookId: string | undefined
  readonly checkedAt: Date | undefined
  /** How often the webhook was found changed since the start. */
  readonly changes: number
  readonly lastError: string | undefined
}

/** The changes of a synchronisation, made or planned. Holds no password and no secret. */
export interface RegistrationSync {
  readonly address: string
  /** Undefined in a dry run: nothing was changed. */
  readonly result: SyncResult['result'] | undefined
  /** Undefined if nothing is registered at the address. */
  readonly webhookId: string | undefined
  readonly lines: readonly PlanLine[]
  /** The patterns of handlers that match no known event type. */
  readonly unknown: readonly string[]
  /** The ids of other webhooks at the same address. They are never touched. */
  readonly twins: readonly string[]
}

export interface KeepRegistrationOptions extends RegistrationSettings {
  /** The endpoint's path, for the log. */
  readonly endpoint: string
  /** The path at which the endpoint is served, with the prefix of the plugin. Default: `endpoint`. */
  readonly servedAt?: string
  /** How often the webhook is checked. */
  readonly everyMs: number
  /** Whether a changed webhook is restored, or only reported. */
  readonly repair: boolean
  readonly log: Log
  readonly onChange?: ((change: RegistrationChange) => unknown) | undefined
  readonly tracing?: FindTracing
}

export interface KeptRegistration extends Repeated {
  readonly status: () => RegistrationStatus
  /** Registers the endpoint now, as at the start; in a dry run, only plans that. @throws as `syncWebhook` */
  readonly sync: (how: { readonly dryRun: boolean }) => Promise<RegistrationSync>
}

/**
 * Registers the endpoint, then checks at intervals that the webhook is still as the code wants it. Runs in the
 * background: a provider that cannot be reached never delays the start, and is asked again with growing pauses.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID when no key is given
 */
export function keepRegistration(options: KeepRegistrationOptions): KeptRegistration {
  const { endpoint, address, everyMs, repair, log, onChange } = options
  const ending = new AbortController()
  const api = apiOf(options, ending.signal)
  const computeWanted = wantedWebhook(options)
  // The provider shows the secret only in its answer, and the server has no place to show it.
  const mayCreate = options.source.registration?.secretShown !== 'created'
  const wantAtLeast = withFoundTypes(computeWanted, address, options.source.registration?.everyType)
  const wrongPath = pathWarning(address, options.servedAt ?? endpoint)
  if (wrongPath !== undefined) log.warn({ endpoint, address }, wrongPath)
  for (const warning of modeWarnings(options, api.mode)) log.warn({ endpoint, address }, warning)
  let status: RegistrationStatus = {
    endpoint,
    address,
    state: 'unknown',
    webhookId: undefined,
    checkedAt: undefined,
    changes: 0,
    lastError: undefined
  }
  let registered = false
  const check = (): Promise<void> => (registered ? watch() : register().then(() => undefined))
  const traced = (): Promise<void> => inBackground(options.tracing?.(), { name: 'registration check', endpoint }, check)
  const repeated = repeat(traced, { everyMs, failed, ending })
  return {
    ...repeated,
    status: () => status,
    sync: async ({ dryRun }) => {
      if (dryRun) {
        const plan = await planSync(api, computeWanted)
        return describeSync(plan, undefined, plan.found?.id)
      }
      const { result, webhook, plan } = await register()
      return describeSync(plan, result, webhook.id)
    }
  }

  async function register(): Promise<SyncResult> {
    const done = await sync(api, computeWanted, { mayCreate })
    registered = true
    synced(done)
    return done
  }

  async function watch(): Promise<void> {
    const plan = await planSync(api, wantAtLeast)
    const { found, lines, twins } = plan
    for (const { id } of twins)
      log.warn(
        { endpoint, address, webhook_id: id },
        'another webhook has the same address: every event is sent twice; delete one of them'
      )
    if (found !== undefined && lines.length === 0) {
      status = { ...status, state: 'in_sync', webhookId: found.id, checkedAt: new Date(), lastError: undefined }
      return
    }
    const change: RegistrationChange = {
      endpoint,
      address,
      webhookId: found?.id,
      lines: found === undefined ? [] : lines,
      repaired: repair
    }
    status = {
      ...status,
      state: 'changed',
      webhookId: found?.id,
      checkedAt: new Date(),
      changes: status.changes + 1,
      lastError: undefined
    }
    const keys = { endpoint, address, webhook_id: found?.id, plan: describePlan(plan) }
    log.error(keys, found === undefined ? 'the webhook was deleted: no event is sent' : 'the webhook was changed')
    publish('registration', { endpoint, address, webhook_id: found?.id, result: 'changed' })
    report(change)
    if (!repair) return
    const done = await sync(api, wantAtLeast, { mayCreate })
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
        'the pattern of a handler matches no known event type, so nothing is requested for it; correct the spelling, or name a new type in register.types'
      )
    const { secretSteps } = options.source
    if (result === 'created' && secretSteps !== undefined)
      log.warn({ endpoint, address, webhook_id: webhook.id }, secretSteps)
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

  function report(change: RegistrationChange): void {
    const fault = (error: unknown): void => {
      log.error({ err: loggedError(error), endpoint }, 'onRegistrationChange failed')
    }
    try {
      Promise.resolve(onChange?.(change)).then(assertBegun).catch(fault)
    } catch (error) {
      fault(error)
    }
  }
}

function describeSync(
  { address, lines, unknown, twins }: Plan,
  result: SyncResult['result'] | undefined,
  webhookId: string | undefined
): RegistrationSync {
  return { address, result, webhookId, lines, unknown, twins: twins.map(({ id }) => id) }
}

/**
 * The wanted webhook with all types that are sent already: the periodic check never removes a type. While a new version
 * is rolled out, replicas with different handlers check the same webhook, and each would remove the types of the other.
 * The start of a replica and a sync do remove types.
 */
function withFoundTypes(computeWanted: ComputeWanted, address: string, everyType: string | undefined): ComputeWanted {
  return async (webhooks) => {
    const wanted = await computeWanted(webhooks)
    const { registration } = wanted
    const [found] = webhooks.filter((webhook) => isSameAddress(webhook.address, address)).sort(byAge)
    // The name of all types holds the others. Any other pattern is a mistake: every change of the webhook would fail.
    const isEvery = everyType !== undefined && found?.types.includes(everyType) === true
    const besides = found?.types.filter((type) => !type.includes('*')) ?? []
    const types = isEvery ? [everyType] : [...new Set([...registration.types, ...besides])].sort()
    return { ...wanted, registration: { ...registration, types } }
  }
}
