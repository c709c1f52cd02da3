import { findRemovable } from '../../programs.ts'
import type { RemovalBodyJson, RemovalJson } from '../api-types.ts'
import { readStep } from '../plan-body.ts'
import { findPlanned, planEvents, type PlannedAct } from '../plan-events.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

const removal: PlannedAct = { kind: 'removal', verb: 'remove', find: findRemovable }

export const planOrRemove: ScopedRoute<{ body: RemovalBodyJson }> = {
  method: 'POST',
  path: 'removals',
  scope: 'operate',
  schema: {
    summary:
      'Remove events with all their deliveries, for good. First plan it with `dryRun: true`, then send the plan and its count. Answers 409 if the count differs, or if other events match now, or their states have changed',
    body: schemas.RemovalBody,
    response: { 200: schemas.Removal }
  },
  async handle(context, { body }): Promise<Sent<RemovalJson>> {
    const step = readStep(body)
    if (step.plan === undefined) {
      const { plan, expiresAt, count, capped, kept } = await planEvents(context, step.body, removal)
      return { plan, expiresAt, count, capped, kept }
    }
    const planned = await findPlanned(context, step, removal)
    if (planned === undefined) return { removed: 0 }
    const { targets, filter } = planned
    return { removed: await context.riverhook.removeEvents(targets, { by: context.actor, filter }) }
  }
}
