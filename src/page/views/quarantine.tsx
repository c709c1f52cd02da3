import type { EventPageJson, EventSummaryJson } from '../../admin/api-types.ts'
import { useApi } from '../api.ts'
import { keyOf } from '../events/rows.ts'
import { link, usePlace } from '../link.ts'
import { visible } from '../text.ts'
import { Id } from '../ui/copy.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Head, Problem, Skeleton } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

/** Authentic requests that could not be read as events. */
export function QuarantineView() {
  const { query } = usePlace()
  const params = new URLSearchParams({
    state: 'quarantined',
    limit: '50',
    ...(query['after'] === undefined ? {} : { after: query['after'] })
  })
  const { data, error, reload } = useApi<EventPageJson>(`events?${params.toString()}`)
  return (
    <div class="view">
      <Head title="Quarantine" note="Requests that were authentic, and no event that can be read." />
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Skeleton rows={4} />}
      {data?.events.length === 0 && (
        <Empty icon="quarantine" title="Nothing is quarantined">
          <p>Every request that was authentic was an event.</p>
        </Empty>
      )}
      <ul class="cards">
        {data?.events.map((event) => (
          <Request key={keyOf(event)} event={event} />
        ))}
      </ul>
      {data?.next !== undefined && (
        <nav class="pager" aria-label="Pages">
          <a class="button" href={link(['quarantine'], { after: data.next })}>
            Older
            <Icon name="chevron" />
          </a>
        </nav>
      )}
    </div>
  )
}

function Request({ event }: { readonly event: EventSummaryJson }) {
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
      </div>
      <pre class="error-text">{visible(event.reason ?? '')}</pre>
      <Id text={event.id} what="request id" />
    </li>
  )
}
