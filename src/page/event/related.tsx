import type { EventDetailJson, RelatedEventsJson } from '../../admin/api-types.ts'
import { useApi } from '../api.ts'
import { TypeName } from '../events/table.tsx'
import { keyOf } from '../events/rows.ts'
import { link, usePlace } from '../link.ts'
import { visible } from '../text.ts'
import { byUrgency, DeliveryPill } from '../ui/state.tsx'
import { When } from '../ui/when.tsx'

/** All events about the same resource, as a time line. */
export function Related({ event }: { readonly event: EventDetailJson }) {
  const { query } = usePlace()
  const { data } = useApi<RelatedEventsJson>(
    `event/related?${new URLSearchParams({ realm: event.realm, id: event.id, limit: '50' }).toString()}`
  )
  const about = event.payload.about ?? []
  if (data === undefined || (data.events.length < 2 && about.length === 0)) return null
  return (
    <section class="part">
      <h2>Same resource</h2>
      {about.length > 0 && (
        <p class="keys-of">
          {about.map((key) => (
            <a key={key} class="key" href={link(['events'], { about: key })} title="Find all events about it">
              <code>{visible(key)}</code>
            </a>
          ))}
        </p>
      )}
      {data.events.length > 1 && (
        <ol class="related">
          {data.more && <li class="hint">Older ones are in the list.</li>}
          {data.events.map((other) => (
            <li key={keyOf(other)} aria-current={keyOf(other) === keyOf(event) ? 'true' : undefined}>
              <When at={other.receivedAt} as="clock" />
              <a href={link(['events', other.realm, other.id], query)}>
                <TypeName type={other.type} />
              </a>
              <span class="pills">
                {byUrgency(other.deliveries)
                  .slice(0, 2)
                  .map((delivery) => (
                    <DeliveryPill key={delivery.id} delivery={delivery} />
                  ))}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}
