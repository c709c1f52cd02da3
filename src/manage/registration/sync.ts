import { RiverhookError } from '../../model/errors.ts'
import type { Registration, SourceApi } from '../../source/source.ts'
import { byAge, makePlan, type Plan, type Wanted } from './plan.ts'

/** The part of the provider's API that is needed here. */
export type WebhooksApi = Pick<SourceApi, 'webhooks'>

/**
 * Told what the provider has, gives what is wanted: a type that the provider has accepted before is known to be one.
 */
export type Want = (webhooks: readonly Registration[]) => Wanted

export interface SyncResult {
  readonly result: 'created' | 'updated' | 'unchanged'
  readonly webhook: Registration
  /** What was done. */
  readonly plan: Plan
}

/** How often a plan is made anew because somebody else was quicker. */
const rounds = 5

/** Compares and changes nothing. @throws what the API throws */
export async function planSync(api: WebhooksApi, want: Want): Promise<Plan> {
  const webhooks = await api.webhooks.list()
  return makePlan(want(webhooks), webhooks)
}

/**
 * Makes the provider have the one wanted webhook, and touches no other. Run again, it does nothing. Several
 * replicas may do it at the same time: they end with one webhook, the oldest.
 * @throws what the API throws
 */
export async function sync(api: WebhooksApi, want: Want): Promise<SyncResult> {
  for (let round = 1; ; round += 1) {
    const plan = await planSync(api, want)
    const done = await apply(api, plan, want)
    if (done !== undefined) return done
    if (round === rounds) {
      throw new RiverhookError(
        'RIVERHOOK_MANAGE_UNSETTLED',
        `The webhook of ${plan.address} was changed by somebody else ${rounds} times while it was being synchronised; try again`
      )
    }
  }
}

/** @returns undefined when the plan was overtaken by somebody else and another is to be made */
async function apply(api: WebhooksApi, plan: Plan, want: Want): Promise<SyncResult | undefined> {
  if (plan.found === undefined) return create(api, plan, want)
  if (plan.lines.length === 0) return { result: 'unchanged', webhook: plan.found, plan }
  try {
    return { result: 'updated', webhook: await api.webhooks.update(plan.found.id, plan.changes), plan }
  } catch (error) {
    // Deleted meanwhile, or in conflict with a change that another replica makes.
    if (hasStatus(error, 404) || hasStatus(error, 409)) return undefined
    throw error
  }
}

/**
 * The provider has no way to say "create unless it exists", so two replicas may both create. Each looks again
 * afterwards; all choose the same one to stay, and each takes away only what it made itself.
 */
async function create(api: WebhooksApi, plan: Plan, want: Want): Promise<SyncResult | undefined> {
  const webhook = await createUnlessConflict(api, plan)
  if (webhook === undefined) return undefined
  const { found, twins } = await planSync(api, want)
  const [oldest] = [...(found === undefined ? [] : [found]), ...twins, webhook].sort(byAge)
  if (oldest === undefined || oldest.id === webhook.id) return { result: 'created', webhook, plan }
  await deleteOwn(api, webhook.id)
  return undefined
}

async function deleteOwn(api: WebhooksApi, id: string): Promise<void> {
  try {
    await api.webhooks.delete(id)
  } catch (error) {
    // Somebody else has seen to it.
    if (!hasStatus(error, 404)) throw error
  }
}

async function createUnlessConflict(api: WebhooksApi, { address, changes }: Plan): Promise<Registration | undefined> {
  try {
    return await api.webhooks.create({ types: [], ...changes, address })
  } catch (error) {
    if (hasStatus(error, 409)) return undefined
    throw error
  }
}

/** An error of the API for an answer carries its `status`. */
function hasStatus(error: unknown, status: number): boolean {
  return typeof error === 'object' && error !== null && 'status' in error && error.status === status
}
