import { countOpen, findErasable } from '../../programs.ts'
import type { ErasureJson, RemovalBodyJson } from '../api-types.ts'
import { readStep } from '../plan-body.ts'
import { findPlanned, planEvents, type PlannedAct } from '../plan-events.ts'
import type { ScopedRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

const erasure: PlannedAct = { kind: 'erasure', verb: 'erase', find: findErasable }

export const planOrErase: ScopedRoute<{ body: RemovalBodyJson }> = {
  method: 'POST',
  path: 'erasures',
  scope: 'erase',
  schema: {
    summary:
      'Erase the personal data of events, for good: payload, keys and errors. Each event stays, so that it does not come back. First plan it with `dryRun: true`, then send the plan and its count. Answers 409 if the count differs, or if other events match now, or their states have changed',
    body: schemas.RemovalBody,
    response: { 200: schemas.Erasure }
  },
  async handle(context, { body }): Promise<Sent<ErasureJson>> {
    const step = readStep(body)
    if (step.plan === undefined) {
      const { plan, expiresAt, count, capped, targets } = await planEvents(context, step.body, erasure)
      return { plan, expiresAt, count, open: countOpen(targets), capped }
    }
    const planned = await findPlanned(context, step, erasure)
    if (planned === undefined) return { erased: 0 }
    const { targets, filter } = planned
    return context.riverhook.eraseEvents(targets, { by: context.actor, filter })
  }
}
