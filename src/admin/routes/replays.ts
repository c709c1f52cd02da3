import { RiverhookError, type Job } from '../../index.ts'
import { hideAbout } from '../../programs.ts'
import type {
  ReplayBodyJson,
  ReplayJobJson,
  ReplayListJson,
  ReplayParamsJson,
  ReplayPlanJson,
  ReplayQueryJson
} from '../api-types.ts'
import { idempotencyKeyOf, type Plan } from '../plan.ts'
import { readSelection, readStep } from '../plan-body.ts'
import { AdminAnswer, type AdminContext, type ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

export const planOrStartReplay: ScopedRoute<{ body: ReplayBodyJson }> = {
  method: 'POST',
  path: 'replays',
  scope: 'operate',
  schema: {
    summary:
      'Replay events in the background. First plan it with `dryRun: true`, then send the plan and its count. Answers 202, or 409 if the count differs. With the header `Idempotency-Key`, a repeated request does not start a second job',
    body: schemas.ReplayBody,
    response: { 200: schemas.ReplayPlan, 202: schemas.ReplayJob }
  },
  async handle(context, { body, headers }) {
    const step = readStep(body)
    return step.plan === undefined
      ? planReplay(context, step.body)
      : startReplay(context, step, headers['idempotency-key'])
  }
}

async function planReplay(context: AdminContext, body: ReplayBodyJson): Promise<Sent<ReplayPlanJson>> {
  const { riverhook, plans, actor } = context
  const { includeDone, limit, ratePerSecond } = body
  const selection = await readSelection(body, context)
  const planned = await riverhook.planReplay({ ...selection, includeDone }, { limit })
  const { upTo, count } = planned
  const plan: Plan = { kind: 'replay', selection, includeDone, limit, ratePerSecond, upTo, count }
  return { ...(await plans.write(plan, actor)), ...planned }
}

async function startReplay(
  { riverhook, plans, actor }: AdminContext,
  given: { readonly plan: string; readonly expectedCount: number },
  key: string | readonly string[] | undefined
): Promise<AdminAnswer> {
  const plan = await plans.read(given.plan, { kind: 'replay', actor, expectedCount: given.expectedCount })
  const { selection, includeDone, limit, ratePerSecond, upTo, count } = plan
  const job = await riverhook.startReplay(
    { ...selection, includeDone },
    { upTo, planned: count, limit, ratePerSecond, idempotencyKey: idempotencyKeyOf(key, actor, plan), by: actor }
  )
  return new AdminAnswer({ status: 202, body: describeJob(job) })
}

export const listReplays: ScopedRoute<{ query: ReplayQueryJson }> = {
  method: 'GET',
  path: 'replays',
  scope: 'read',
  schema: {
    summary: 'List the newest replays, including those that have ended',
    querystring: schemas.ReplayQuery,
    response: { 200: schemas.ReplayList }
  },
  handle: async ({ riverhook }, { query }): Promise<Sent<ReplayListJson>> => ({
    replays: (await riverhook.jobs(query)).map((job) => describeJob(job))
  })
}

export const showReplay: ScopedRoute<{ params: ReplayParamsJson }> = {
  method: 'GET',
  path: 'replays/:id',
  scope: 'read',
  schema: {
    summary: 'Show a replay and its progress',
    params: schemas.ReplayParams,
    response: { 200: schemas.ReplayJob }
  },
  handle: async ({ riverhook }, { params: { id } }) => describeJob(found(await riverhook.job(id)))
}

export const stopReplay: ScopedRoute<{ params: ReplayParamsJson }> = {
  method: 'DELETE',
  path: 'replays/:id',
  scope: 'operate',
  schema: {
    summary: 'Stop a replay: it replays nothing more. Deliveries that it has already made due still run',
    params: schemas.ReplayParams,
    response: { 200: schemas.ReplayJob }
  },
  handle: async ({ riverhook, actor }, { params: { id } }) =>
    describeJob(found(await riverhook.stopJob(id, { by: actor })))
}

function found(job: Job | undefined): Job {
  if (job !== undefined) return job
  throw new RiverhookError('RIVERHOOK_ADMIN_NOT_FOUND', 'There is no replay with this number')
}

/** Hides the search key of the filter, which may be an e-mail address. */
function describeJob(job: Job): Sent<ReplayJobJson> {
  return { ...job, filter: hideAbout(job.filter) }
}
