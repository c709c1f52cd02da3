import { RiverhookError } from '../../model/errors.ts'
import type { CreatedRegistration, Registration, SourceApi } from '../../source/source.ts'
import { byAge, makePlan, type Plan, type Wanted } from './plan.ts'

/** The part of the provider's API that is needed here. */
export type WebhooksApi = Pick<SourceApi, 'webhooks'>

/** Computes the wanted webhook. It is given the existing ones: a type that the provider has accepted exists. */
export type ComputeWanted = (webhooks: readonly Registration[]) => Wanted | Promise<Wanted>

export interface SyncResult {
  readonly result: 'created' | 'updated' | 'unchanged'
  /** With the signing secret, if it was created and the provider shows the secret only then. */
  readonly webhook: CreatedRegistration
  /** The action. */
  readonly plan: Plan
}

export interface SyncOptions {
  /** False: an existing webhook is changed, and none is created. */
  readonly mayCreate: boolean
}

/** How often the plan is made again because somebody else changed the webhook in between. */
const rounds = 5

/** Compares, and changes nothing. @throws what the API throws */
export async function planSync(api: WebhooksApi, computeWanted: ComputeWanted): Promise<Plan> {
  const webhooks = await api.webhooks.list()
  return makePlan(await computeWanted(webhooks), webhooks)
}

/**
 * Creates or changes the wanted webhook, and touches no other. A second run changes nothing. Several replicas may
 * do this at the same time: one webhook remains, the oldest.
 * @throws {RiverhookError} RIVERHOOK_MANAGE_NOT_CREATED; what the API throws
 */
export async function sync(
  api: WebhooksApi,
  computeWanted: ComputeWanted,
  { mayCreate }: SyncOptions = { mayCreate: true }
): Promise<SyncResult> {
  for (let round = 1; ; round += 1) {
    const plan = await planSync(api, computeWanted)
    if (plan.found === undefined && !mayCreate) throw notCreated(plan)
    const done = await apply(api, plan, computeWanted)
    if (done !== undefined) return done
    if (round === rounds) {
      throw new RiverhookError(
        'RIVERHOOK_MANAGE_UNSETTLED',
        `Somebody else changed the webhook of ${plan.address} during each of ${rounds} attempts to synchronise it. Try again`
      )
    }
  }
}

/** @returns undefined if somebody else changed the webhook in between, so that a new plan is needed */
async function apply(api: WebhooksApi, plan: Plan, computeWanted: ComputeWanted): Promise<SyncResult | undefined> {
  if (plan.found === undefined) return create(api, plan, computeWanted)
  if (plan.lines.length === 0) return { result: 'unchanged', webhook: plan.found, plan }
  try {
    return { result: 'updated', webhook: await api.webhooks.update(plan.found.id, plan.changes), plan }
  } catch (error) {
    // It was deleted in the meantime, or another replica is changing it.
    if (hasStatus(error, 404) || hasStatus(error, 409)) return undefined
    throw error
  }
}

/**
 * The provider cannot create a webhook only if it does not exist, so two replicas may both create one. Each then lists
 * the webhooks again. All choose the same one to keep, and each deletes only its own.
 */
async function create(api: WebhooksApi, plan: Plan, computeWanted: ComputeWanted): Promise<SyncResult | undefined> {
  const webhook = await createUnlessConflict(api, plan)
  if (webhook === undefined) return undefined
  const { found, twins } = await planSync(api, computeWanted)
  const [oldest] = [...(found === undefined ? [] : [found]), ...twins, webhook].sort(byAge)
  if (oldest === undefined || oldest.id === webhook.id) return { result: 'created', webhook, plan }
  await deleteOwn(api, webhook.id)
  return undefined
}

async function deleteOwn(api: WebhooksApi, id: string): Promise<void> {
  try {
    await api.webhooks.delete(id)
  } catch (error) {
    // It is deleted already.
    if (!hasStatus(error, 404)) throw error
  }
}

async function createUnlessConflict(
  api: WebhooksApi,
  { address, changes }: Plan
): Promise<CreatedRegistration | undefined> {
  try {
    return await api.webhooks.create({ types: [], ...changes, address })
  } catch (error) {
    if (hasStatus(error, 409)) return undefined
    throw error
  }
}

function notCreated({ address }: Plan): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_MANAGE_NOT_CREATED',
    `No webhook has the address ${address}. Create it once with: riverhook webhooks sync --address ${address}. The ` +
      'provider shows the signing secret of a new webhook only once, so the server creates none'
  )
}

/** Errors of the API for an HTTP answer have its `status`. */
function hasStatus(error: unknown, status: number): boolean {
  return typeof error === 'object' && error !== null && 'status' in error && error.status === status
}
