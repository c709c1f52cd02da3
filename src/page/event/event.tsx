import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'

import type { EventDetailJson } from '../../admin/api-types.ts'
import { may, useApi } from '../api.ts'
import { TypeName } from '../events/table.tsx'
import { link } from '../link.ts'
import { counted, visible } from '../text.ts'
import { Id } from '../ui/copy.tsx'
import { DialogButton } from '../ui/dialog-button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Badge, Loading } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'
import { Deliveries } from './deliveries.tsx'
import { Erasure } from './erasure.tsx'
import { Payload } from './payload.tsx'
import { Receipt } from './receipt.tsx'
import { Related } from './related.tsx'
import { Replay } from './replay.tsx'

interface PanelProps {
  readonly realm: string
  readonly id: string
  readonly closeTo: string
}

/** While deliveries of the event are not settled, it is read again so often. */
const refreshMs = 3_000

/** One event: what became of it first, what it says after it. */
export function EventPanel({ realm, id, closeTo }: PanelProps) {
  const params = new URLSearchParams({ realm, id, compare: 'previous' })
  const isOpenEnded = useSignal(true)
  const {
    data: event,
    error,
    reload
  } = useApi<EventDetailJson>(`event?${params.toString()}`, isOpenEnded.value ? refreshMs : undefined)
  useEffect(() => {
    if (event !== undefined)
      isOpenEnded.value = event.deliveries.some(
        ({ state }) => state !== 'done' && state !== 'dead' && state !== 'parked'
      )
  }, [event])
  const revealed = useSignal<EventDetailJson | undefined>(undefined)
  const panel = useRef<HTMLElement>(null)
  const isLoaded = event !== undefined
  useEffect(() => {
    if (isLoaded) document.title = `${visible(event.type === '' ? event.id : event.type)} · Riverhook`
    if (document.activeElement === document.body) panel.current?.focus()
  }, [isLoaded])
  return (
    <section class="panel" ref={panel} tabIndex={-1} aria-label={`Event ${visible(id)}`}>
      <div class="panel-bar">
        <a class="ghost panel-back" href={closeTo}>
          <Icon name="left" />
          <span>Events</span>
        </a>
        <Id text={id} what="event id" />
        <a class="ghost panel-close" href={closeTo} title="Close (Esc)" aria-label="Close">
          <Icon name="close" />
        </a>
      </div>
      <Loading data={event} error={error} reload={reload} rows={6} />
      {event !== undefined && (
        <div class="panel-body">
          <Title event={event} onChanged={reload} />
          {event.state === 'quarantined' && <Quarantined event={event} />}
          {event.state === 'accepted' && <Deliveries event={event} onChanged={reload} />}
          {event.state === 'erased' && (
            <p class="hint">Its data was erased. It stays, so that it does not come back.</p>
          )}
          {event.state !== 'erased' && (
            <Payload event={revealed.value ?? event} onRevealed={(whole) => (revealed.value = whole)} />
          )}
          {event.state === 'accepted' && <Related event={revealed.value ?? event} />}
          <Receipt event={revealed.value ?? event} />
        </div>
      )}
    </section>
  )
}

function Title({ event, onChanged }: { readonly event: EventDetailJson; readonly onChanged: () => void }) {
  return (
    <header class="panel-head">
      <div>
        <h1>{event.state === 'quarantined' ? 'Quarantined request' : <TypeName type={event.type} />}</h1>
        <p class="panel-note">
          Received <When at={event.receivedAt} as="exact" />
        </p>
        <p class="marks">
          {event.liveMode === true && <Badge tone="good">live</Badge>}
          {event.liveMode === false && <Badge tone="warn">test</Badge>}
          {event.backfilled && (
            <Badge tone="info" icon="backfill">
              backfilled
            </Badge>
          )}
          {event.duplicates > 0 && <Badge tone="quiet">{counted(event.duplicates, 'duplicate')}</Badge>}
          {event.conflicts > 0 && <Badge tone="bad">{counted(event.conflicts, 'conflict')}</Badge>}
        </p>
      </div>
      <span class="card-actions">
        {event.state === 'accepted' && may('operate') && (
          <DialogButton
            icon="replay"
            label="Replay…"
            onDone={onChanged}
            dialog={(onClose) => <Replay event={event} onClose={onClose} />}
          />
        )}
        {event.state !== 'erased' && may('erase') && (
          <DialogButton
            icon="trash"
            label="Erase…"
            onDone={onChanged}
            dialog={(onClose) => <Erasure event={event} onClose={onClose} />}
          />
        )}
      </span>
    </header>
  )
}

function Quarantined({ event }: { readonly event: EventDetailJson }) {
  return (
    <section class="part">
      <h2>Why it is quarantined</h2>
      <pre class="error-text">{visible(event.reason ?? 'unknown')}</pre>
      <p class="hint">
        It was authentic, but it cannot be read as an event.{' '}
        <a href={link(['quarantine'])}>Try it again in the quarantine</a>.
      </p>
    </section>
  )
}
