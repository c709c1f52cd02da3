import type { Signal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'

import type { DeliveryJson, EventSummaryJson } from '../../admin/api-types.ts'
import { hasKeys } from '../settings.ts'
import { isSingleKey } from '../single-key.ts'
import { visible } from '../text.ts'
import { Id } from '../ui/copy.tsx'
import { Badge, Columns } from '../ui/pieces.tsx'
import { byUrgency, DeliveryPill } from '../ui/state.tsx'
import { When } from '../ui/when.tsx'
import { keyOf } from './rows.ts'

interface TableProps {
  readonly rows: readonly EventSummaryJson[]
  readonly isStale: boolean
  /** Beside an open event there is room for less. */
  readonly isNarrow?: boolean
  /** The key of the open event. */
  readonly open?: string | undefined
  readonly to: (event: EventSummaryJson) => string
  readonly onOpen: (event: EventSummaryJson) => void
  readonly onClose: () => void
  /** The keys of the selected rows. Missing: rows cannot be selected. */
  readonly selected?: Signal<ReadonlySet<string>> | undefined
}

/** Events, each on one line. */
export function EventTable({ rows, isStale, isNarrow = false, open, to, onOpen, onClose, selected }: TableProps) {
  const body = useRef<HTMLTableSectionElement>(null)
  // Before the rows are painted: a key pressed at once counts.
  useLayoutEffect(() => {
    if (!hasKeys.value) return undefined
    const onKey = (event: KeyboardEvent): void => {
      if (!isSingleKey(event)) return
      if (event.key === 'Escape') {
        onClose()
        return
      }
      const links = [...(body.current?.querySelectorAll<HTMLAnchorElement>('a[data-row]') ?? [])]
      const at = rows.findIndex((row) => keyOf(row) === open)
      const from =
        open === undefined ? links.findIndex((link) => link.closest('tr')?.contains(document.activeElement)) : at
      const here = rows[from]
      if (event.key === 'x' && here !== undefined && selected !== undefined) toggle(selected, [keyOf(here)])
      const step = event.key === 'j' ? 1 : event.key === 'k' ? -1 : 0
      if (step === 0) return
      event.preventDefault()
      const index = Math.min(Math.max(from + step, 0), rows.length - 1)
      links[index]?.focus()
      links[index]?.scrollIntoView({ block: 'nearest' })
      const row = rows[index]
      if (open !== undefined && row !== undefined) onOpen(row)
    }
    document.addEventListener('keydown', onKey)
    return () => {
      document.removeEventListener('keydown', onKey)
    }
  }, [rows, open, onOpen, onClose, selected])
  useLayoutEffect(() => {
    body.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' })
  }, [open])
  const keys = rows.map(keyOf)
  const isAll = keys.every((key) => selected?.value.has(key))
  return (
    <div class={isStale ? 'table-box stale' : 'table-box'}>
      <table class={isNarrow ? 'table events narrow' : 'table events'}>
        <Columns
          names={[
            ['Received', 'c-time'],
            ['Type', 'c-type'],
            ['Resource', 'c-resource'],
            ['Event', 'c-id'],
            ['Deliveries', 'c-deliveries'],
            ['Attempts', 'c-attempts numeric'],
            ['Age', 'c-age numeric']
          ]}
        >
          {selected !== undefined && (
            <th scope="col" class="c-check">
              <input
                type="checkbox"
                aria-label="Select all rows"
                checked={isAll}
                onChange={() => {
                  toggle(selected, isAll ? keys : keys.filter((key) => !selected.value.has(key)))
                }}
              />
            </th>
          )}
        </Columns>
        <tbody ref={body}>
          {rows.map((event) => {
            const key = keyOf(event)
            return (
              <tr key={key} aria-current={key === open ? 'true' : undefined}>
                {selected !== undefined && (
                  <td class="c-check">
                    <input
                      type="checkbox"
                      aria-label={`Select ${visible(event.id)}`}
                      checked={selected.value.has(key)}
                      onChange={() => {
                        toggle(selected, [key])
                      }}
                    />
                  </td>
                )}
                <td class="c-time">
                  <When at={event.receivedAt} as="clock" />
                </td>
                <td class="c-type">
                  <span class="type">
                    <a data-row href={to(event)} title={visible(event.type)}>
                      {event.state === 'quarantined' ? (
                        <span class="untyped">not an event</span>
                      ) : (
                        <TypeName type={event.type} />
                      )}
                    </a>
                    <Marks event={event} />
                  </span>
                </td>
                <td class="c-resource">
                  <span class={event.resource === undefined ? 'only-id' : undefined}>
                    <Id
                      text={event.resource ?? event.id}
                      what={event.resource === undefined ? 'event id' : 'resource id'}
                    />
                  </span>
                </td>
                <td class="c-id">
                  <Id text={event.id} what="event id" />
                </td>
                <td class="c-deliveries">
                  <Deliveries event={event} isNarrow={isNarrow} />
                </td>
                <td class="c-attempts numeric">{attemptsOf(event)}</td>
                <td class="c-age numeric">
                  <When at={event.receivedAt} as="age" />
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

function toggle(selected: Signal<ReadonlySet<string>>, keys: readonly string[]): void {
  const next = new Set(selected.value)
  for (const key of keys) if (!next.delete(key)) next.add(key)
  selected.value = next
}

/** The part before the first separator says of what, the rest says what: the second is what eyes look for. */
export function TypeName({ type }: { readonly type: string }) {
  const text = visible(type)
  const [, about, what] = /^([^._:/]+[._:/])(.+)$/u.exec(text) ?? []
  if (about === undefined) return <span class="type-what">{text}</span>
  return (
    <>
      <span class="type-about">{about}</span>
      <span class="type-what">{what}</span>
    </>
  )
}

function Marks({ event }: { readonly event: EventSummaryJson }) {
  return (
    <>
      {event.liveMode === false && <Badge tone="warn">test</Badge>}
      {event.backfilled && (
        <Badge tone="info" icon="backfill" title="Fetched from the provider: its request had not arrived">
          backfilled
        </Badge>
      )}
      {event.conflicts > 0 && (
        <Badge tone="bad" icon="failures" title="Duplicates with another body">
          {event.conflicts} conflicting
        </Badge>
      )}
      {event.duplicates > event.conflicts && (
        <Badge tone="quiet" icon="copy" title="Sent again by the provider, and ignored">
          {event.duplicates - event.conflicts}× again
        </Badge>
      )}
    </>
  )
}

/** How many characters of pills a line has room for, each with its icon and edges. */
const room = { wide: 42, narrow: 26 }
const edges = 5

function Deliveries({ event, isNarrow }: { readonly event: EventSummaryJson; readonly isNarrow: boolean }) {
  if (event.state === 'quarantined')
    return (
      <Badge tone="warn" icon="quarantine" title={visible(event.reason ?? '')}>
        quarantined: {visible(event.reason ?? '')}
      </Badge>
    )
  const sorted = byUrgency(event.deliveries)
  if (sorted.length === 0) return <span class="none">{event.state === 'erased' ? 'erased' : 'no handler'}</span>
  const shown = fitting(sorted, isNarrow ? room.narrow : room.wide)
  const more = sorted.slice(shown.length)
  return (
    <span class="pills">
      {shown.map((delivery) => (
        <DeliveryPill key={delivery.id} delivery={delivery} />
      ))}
      {more.length > 0 && (
        <span
          class={`pill more ${more.every(({ state }) => state === 'done') ? 'good' : 'quiet'}`}
          title={more.map(({ handler, state }) => `${visible(handler)}: ${state}`).join('\n')}
        >
          +{more.length}
        </span>
      )}
    </span>
  )
}

/** As many as a line has room for, and at least one. */
function fitting(deliveries: readonly DeliveryJson[], characters: number): readonly DeliveryJson[] {
  let used = 0
  const most = deliveries.findIndex(({ handler, state }, index) => {
    used += handler.length + edges + (state === 'done' ? 0 : state.length)
    return index > 0 && used + (index < deliveries.length - 1 ? edges : 0) > characters
  })
  return most === -1 ? deliveries : deliveries.slice(0, most)
}

function attemptsOf({ deliveries }: EventSummaryJson): number {
  return deliveries.reduce((sum, { attempts }) => sum + attempts, 0)
}
