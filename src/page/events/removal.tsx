import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

import type { RemovalBodyJson, RemovalPlanJson, RemovedEventsJson } from '../../admin/api-types.ts'
import { useAct } from '../act.ts'
import { call } from '../api.ts'
import type { Selection } from '../replay/replay-plan.tsx'
import { count, counted } from '../text.ts'
import { TypedCount } from '../ui/confirm.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Skeleton } from '../ui/pieces.tsx'

interface RemovalProps {
  readonly title: string
  readonly selection: Selection
  readonly onClose: (isDone: boolean) => void
}

/** Counts the events that would be removed, and removes them when a person has typed the count. */
export function Removal({ title, selection, onClose }: RemovalProps) {
  const planning = useAct()
  const { isBusy, problem, run } = useAct()
  const plan = useSignal<RemovalPlanJson | undefined>(undefined)
  const isTyped = useSignal(false)
  const removed = useSignal<number | undefined>(undefined)
  const post = <Answer,>(body: RemovalBodyJson): Promise<Answer> => call<Answer>('removals', { method: 'POST', body })
  useEffect(() => {
    void planning
      .run(() => post<RemovalPlanJson>({ ...selection, dryRun: true }))
      .then((answer) => {
        plan.value = answer
      })
  }, [])
  const remove = async ({ plan, count: expectedCount }: RemovalPlanJson): Promise<void> => {
    removed.value = (await run(() => post<RemovedEventsJson>({ plan, expectedCount })))?.removed
  }
  const close = (): void => {
    onClose(removed.value !== undefined)
  }
  const planned = plan.value
  const isDone = removed.value !== undefined
  return (
    <Dialog
      title={title}
      cancel={isDone ? 'Close' : 'Cancel'}
      isBusy={isBusy.value}
      problem={planning.problem.value ?? problem.value}
      onClose={close}
      actions={
        !isDone &&
        planned !== undefined &&
        planned.count > 0 && (
          <button
            type="button"
            class="button danger"
            disabled={isBusy.value || !isTyped.value}
            onClick={() => void remove(planned)}
          >
            Remove {count(planned.count)}
          </button>
        )
      }
    >
      {planned === undefined && planning.problem.value === undefined && <Skeleton rows={1} />}
      {planned !== undefined && !isDone && (
        <>
          {planned.kept > 0 && (
            <p>{counted(planned.kept, 'event')} will be kept, because another delivery is not done.</p>
          )}
          {planned.capped && <p>{whereMore(planned)}</p>}
          {planned.count === 0 ? (
            <p>There is nothing to remove.</p>
          ) : (
            <TypedCount
              count={planned.count}
              text={`${counted(planned.count, 'event')} and all their deliveries are deleted for good. If the provider sends one of them again, it is handled again.`}
              onChange={(typed) => {
                isTyped.value = typed
              }}
            />
          )}
        </>
      )}
      {isDone && (
        <p class="dialog-done" role="status">
          <Icon name="done" />
          {counted(removed.value ?? 0, 'event')} removed
        </p>
      )}
    </Dialog>
  )
}

function whereMore({ count }: RemovalPlanJson): string {
  return count === 0
    ? 'Not all events were looked at: choose a shorter time.'
    : 'These are the oldest. More may match: remove them next.'
}
