import { useSignal } from '@preact/signals'

import type { EventDetailJson, ReplayedJson, ReplayOneBodyJson } from '../../admin/api-types.ts'
import { useAct } from '../act.ts'
import { call } from '../api.ts'
import { counted, visible } from '../text.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { byUrgency, StateBadge } from '../ui/state.tsx'

interface ReplayProps {
  readonly event: EventDetailJson
  /** Only the delivery of this handler. */
  readonly only?: string
  readonly onClose: (isDone: boolean) => void
}

/** Asks before deliveries run again, and says which will. */
export function Replay({ event, only, onClose }: ReplayProps) {
  const offered = byUrgency(event.deliveries).filter(({ handler }) => only === undefined || handler === only)
  const chosen = useSignal<ReadonlySet<string>>(
    new Set(
      offered
        .filter(({ state }) => only !== undefined || (state !== 'done' && state !== 'running'))
        .map(({ handler }) => handler)
    )
  )
  const { isBusy, problem, run } = useAct()
  const replayed = useSignal<number | undefined>(undefined)
  const picked = offered.filter(({ handler }) => chosen.value.has(handler))
  const again = picked.filter(({ state }) => state === 'done')
  const replay = async (): Promise<void> => {
    const body: ReplayOneBodyJson = {
      event: { realm: event.realm, id: event.id },
      ...(offered.length === 0 ? {} : { handlers: picked.map(({ handler }) => handler) }),
      ...(again.length > 0 ? { includeDone: true } : {})
    }
    replayed.value = (await run(() => call<ReplayedJson>('event/replay', { method: 'POST', body })))?.replayed
  }
  const close = (): void => {
    onClose(replayed.value !== undefined)
  }
  return (
    <Dialog
      title="Replay"
      cancel={replayed.value === undefined ? 'Cancel' : 'Close'}
      isBusy={isBusy.value}
      problem={problem.value}
      onClose={close}
      actions={
        replayed.value === undefined && (
          <button
            type="button"
            class="button primary"
            disabled={isBusy.value || (offered.length > 0 && picked.length === 0)}
            onClick={() => void replay()}
          >
            {offered.length === 0 ? 'Replay' : `Replay ${counted(picked.length, 'delivery')}`}
          </button>
        )
      }
    >
      {replayed.value !== undefined ? (
        <p class="dialog-done" role="status">
          <Icon name="done" />
          {replayed.value === 0
            ? 'Nothing to replay: it is running or done'
            : `${counted(replayed.value, 'delivery')} will run now`}
        </p>
      ) : (
        <>
          <p>
            These handlers run again with <code>{visible(event.type)}</code> <code>{visible(event.id)}</code>:
          </p>
          <ul class="choices">
            {offered.map((delivery) => (
              <li key={delivery.id}>
                <label class="check">
                  <input
                    type="checkbox"
                    checked={chosen.value.has(delivery.handler)}
                    disabled={delivery.state === 'running'}
                    onChange={(change) => {
                      const next = new Set(chosen.value)
                      if (change.currentTarget.checked) next.add(delivery.handler)
                      else next.delete(delivery.handler)
                      chosen.value = next
                    }}
                  />
                  <span class="choice-name">{visible(delivery.handler)}</span>
                  <StateBadge delivery={delivery} />
                </label>
              </li>
            ))}
            {offered.length === 0 && <li>every handler that takes this type now</li>}
          </ul>
          {again.length > 0 && (
            <p class="caution">
              <Icon name="failures" />
              {again.map(({ handler }) => visible(handler)).join(', ')} succeeded already: what{' '}
              {again.length === 1 ? 'it does' : 'they do'} happens a second time.
            </p>
          )}
        </>
      )}
    </Dialog>
  )
}
