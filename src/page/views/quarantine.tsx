import { useSignal } from '@preact/signals'

import type { EventPageJson, EventSummaryJson, RetriedJson, RetryBodyJson } from '../../admin/api-types.ts'
import { useAct } from '../act.ts'
import { call, may, useApi } from '../api.ts'
import { keyOf } from '../events/rows.ts'
import { link, usePlace } from '../link.ts'
import { visible } from '../text.ts'
import { ActProblem } from '../ui/act-problem.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { Id } from '../ui/copy.tsx'
import { DialogButton } from '../ui/dialog-button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Head, Loading, Older } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

/** Authentic requests that could not be read as events. */
export function QuarantineView() {
  const { query } = usePlace()
  const params = new URLSearchParams({
    state: 'quarantined',
    limit: '50',
    ...(query['after'] === undefined ? {} : { after: query['after'] })
  })
  const loaded = useApi<EventPageJson>(`events?${params.toString()}`)
  const { data, reload } = loaded
  return (
    <div class="view">
      <Head title="Quarantine" note="Authentic requests that cannot be read as events." />
      <Loading {...loaded} rows={4} />
      {data?.events.length === 0 && (
        <Empty icon="quarantine" title="Nothing is quarantined">
          <p>A request that is authentic, but no event, is kept here until it is read again or removed.</p>
        </Empty>
      )}
      <ul class="cards">
        {data?.events.map((event) => (
          <Request key={keyOf(event)} event={event} onChanged={reload} />
        ))}
      </ul>
      {data?.next !== undefined && (
        <nav class="pager" aria-label="Pages">
          <Older to={link(['quarantine'], { after: data.next })} />
        </nav>
      )}
    </div>
  )
}

const results: Readonly<Record<RetriedJson['result'], string>> = {
  accepted: 'It is an event now, and its handlers run.',
  duplicate: 'The event had arrived in the meantime: this copy is gone.',
  conflict: 'The event had arrived with another body: this one stays here.',
  still_invalid: 'It still cannot be read.',
  not_stored: 'The inbox refused it. Try again later.'
}

function Request({ event, onChanged }: { readonly event: EventSummaryJson; readonly onChanged: () => void }) {
  const { isBusy, problem, run } = useAct()
  const answer = useSignal<RetriedJson | undefined>(undefined)
  const retry = async (): Promise<void> => {
    const body: RetryBodyJson = { id: event.id }
    answer.value = await run(() => call<RetriedJson>('quarantine/retry', { method: 'POST', body }))
  }
  const isGone = answer.value?.result === 'accepted' || answer.value?.result === 'duplicate'
  return (
    <li class="card">
      <div class="card-head">
        <h2>
          <a href={link(['events', event.realm, event.id])}>{visible(event.source)}</a>
        </h2>
        <span class="card-note">
          <code>{visible(event.endpoint)}</code>
        </span>
        <span class="card-note">
          <When at={event.receivedAt} as="clock" />
        </span>
        {may('operate') && !isGone && (
          <span class="card-actions">
            <button type="button" class="button" disabled={isBusy.value} onClick={() => void retry()}>
              <Icon name="replay" />
              Read it again
            </button>
            <DialogButton
              icon="trash"
              label="Remove…"
              onDone={onChanged}
              dialog={(onClose) => (
                <Confirm
                  title="Remove a request"
                  label="Remove it for good"
                  isDanger
                  act={() =>
                    call(`event?${new URLSearchParams({ realm: event.realm, id: event.id }).toString()}`, {
                      method: 'DELETE'
                    })
                  }
                  onClose={onClose}
                >
                  <p>
                    The request <code>{visible(event.id)}</code> and its body are deleted. If the provider sends it
                    again, it is quarantined again.
                  </p>
                </Confirm>
              )}
            />
          </span>
        )}
      </div>
      <pre class="error-text">{visible(event.reason ?? '')}</pre>
      {answer.value !== undefined && (
        <p class="card-answer" role="status">
          {results[answer.value.result]} {visible(answer.value.reason ?? '')}
          {isGone && (
            <button type="button" class="link" onClick={onChanged}>
              Refresh
            </button>
          )}
        </p>
      )}
      <ActProblem text={problem.value} />
      <Id text={event.id} what="request id" />
    </li>
  )
}
