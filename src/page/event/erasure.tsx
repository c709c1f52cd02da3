import { useSignal } from '@preact/signals'

import type { ErasedEventsJson, ErasurePlanJson, EventDetailJson, RemovalBodyJson } from '../../admin/api-types.ts'
import { useAct } from '../act.ts'
import { call } from '../api.ts'
import { Dialog } from '../ui/dialog.tsx'

interface ErasureProps {
  readonly event: Pick<EventDetailJson, 'realm' | 'id'>
  readonly onClose: (isDone: boolean) => void
}

/** Asks before the personal data of an event is erased, and says what is left of it. */
export function Erasure({ event: { realm, id }, onClose }: ErasureProps) {
  const { isBusy, problem, run } = useAct()
  const done = useSignal<ErasedEventsJson | undefined>(undefined)
  const post = <Answer,>(body: RemovalBodyJson): Promise<Answer> => call<Answer>('erasures', { method: 'POST', body })
  const erase = async (): Promise<void> => {
    done.value = await run(async () => {
      const { plan, count } = await post<ErasurePlanJson>({ events: [{ realm, id }], dryRun: true })
      return post<ErasedEventsJson>({ plan, expectedCount: count })
    })
  }
  const answer = done.value
  return (
    <Dialog
      title="Erase the data of this event"
      cancel={answer === undefined ? 'Cancel' : 'Close'}
      isBusy={isBusy.value}
      problem={problem.value}
      onClose={() => {
        onClose(answer !== undefined)
      }}
      actions={
        answer === undefined && (
          <button type="button" class="button danger" disabled={isBusy.value} onClick={() => void erase()}>
            Erase it for good
          </button>
        )
      }
    >
      <p role="status">
        {answer === undefined
          ? 'Payload, search keys, order keys and errors are erased. The event stays, so that it does not come back. Deliveries that are not done never run.'
          : answer.erased === 0
            ? 'Not erased: one of its deliveries is running. Try again when it has ended.'
            : `Erased. ${answer.left ?? ''}`}
      </p>
    </Dialog>
  )
}
