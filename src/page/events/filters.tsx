import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'

import { call, useApi } from '../api.ts'
import type { EventPageJson, HandlerListJson } from '../../admin/api-types.ts'
import { link, usePlace, type Place } from '../link.ts'
import { visible } from '../text.ts'
import { exact, readTime } from '../time.ts'
import { Chip } from '../ui/chip.tsx'
import { Field as TextField, Select } from '../ui/field.tsx'
import { Icon } from '../ui/icon.tsx'
import { fieldNames, fields, modes, spanOf, spans, states, type Field } from './filter.ts'

/** Leaves the page of the list and the open event: another filter has other ones. */
function filtered(place: Place, changes: Readonly<Record<string, string | undefined>>): string {
  const { after: _after, ...query } = place.query
  return link(['events'], { ...query, ...changes })
}

/** The search, the time, the states and the chips: every filter of the address, and a way to change it. */
export function Filters() {
  const place = usePlace()
  const { query } = place
  const { since, until } = spanOf(query)
  const isOwnSpan = until !== undefined || (since !== undefined && !spans.some(({ value }) => value === since))
  const chips = fieldNames.flatMap((field) => {
    const value = query[field]
    return value === undefined || value === '' ? [] : [{ field, value }]
  })
  return (
    <div class="filters">
      <div class="filters-line">
        <Search />
        <label>
          <span class="sr">Time</span>
          <Select
            value={isOwnSpan ? 'own' : (since ?? 'all')}
            onChange={(value) => {
              place.go(filtered(place, { since: value, until: undefined }))
            }}
          >
            {spans.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
            {isOwnSpan && <option value="own">Chosen time</option>}
          </Select>
        </label>
        <AddFilter />
      </div>
      <nav class="tabs" aria-label="State">
        {states.map(({ value, label }) => (
          <a
            key={value}
            href={filtered(place, { state: value })}
            aria-current={(query['state'] ?? '') === value ? 'true' : undefined}
          >
            {label}
          </a>
        ))}
      </nav>
      {(chips.length > 0 || isOwnSpan) && (
        <ul class="chips" aria-label="Filters">
          {isOwnSpan && (
            <Chip
              name="time"
              value={`${text(since)} – ${until === undefined ? 'now' : text(until)}`}
              without={filtered(place, { since: undefined, until: undefined })}
            />
          )}
          {chips.map(({ field, value }) => (
            <Chip
              key={field}
              name={fields[field]}
              value={textOfField(field, value)}
              without={filtered(place, { [field]: undefined })}
            />
          ))}
          {chips.length + (isOwnSpan ? 1 : 0) > 1 && (
            <li>
              <a class="chips-clear" href={link(['events'])}>
                Clear all
              </a>
            </li>
          )}
        </ul>
      )}
    </div>
  )
}

function textOfField(field: Field, value: string): string {
  return (field === 'live' ? modes.find((mode) => mode.value === value)?.label : undefined) ?? value
}

function text(time: string | undefined): string {
  const at = time === undefined ? undefined : readTime(time)
  if (at === undefined) return 'the beginning'
  return /^\d+[smhd]$/u.test(time ?? '') ? `${time ?? ''} ago` : exact(at).replace(/:\d\d\.\d+/u, '')
}

/** Finds events by what people know: an event's id, or an order, a customer, an e-mail address. */
function Search() {
  const place = usePlace()
  const { about = '', id = '' } = place.query
  const text = useSignal(about === '' ? id : about)
  useEffect(() => {
    text.value = about === '' ? id : about
  }, [about, id])
  const search = async (): Promise<void> => {
    const wanted = text.value.trim()
    if (wanted === '') {
      place.go(filtered(place, { about: undefined, id: undefined }))
      return
    }
    const found = wanted.endsWith('*')
      ? undefined
      : await call<EventPageJson>(`events?${new URLSearchParams({ id: wanted, limit: '2' }).toString()}`)
    const [event, other] = found?.events ?? []
    if (event !== undefined && other === undefined) place.go(link(['events', event.realm, event.id], { id: wanted }))
    else
      place.go(
        filtered(place, event === undefined ? { about: wanted, id: undefined } : { id: wanted, about: undefined })
      )
  }
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        void search()
      }}
    >
      <Icon name="search" />
      <input
        type="search"
        data-search
        aria-label="Search by an event's id, an order, a customer or an e-mail address"
        placeholder="Event, order, customer, e-mail…"
        autocomplete="off"
        spellcheck={false}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value
          if (text.value === '' && (about !== '' || id !== ''))
            place.go(filtered(place, { about: undefined, id: undefined }))
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur()
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  )
}

/** A button that opens a form with the filters that are seldom used. */
function AddFilter() {
  const place = usePlace()
  const isOpen = useSignal(false)
  const box = useRef<HTMLDivElement>(null)
  // Before the form is painted: what is typed at once must not move to another field.
  useLayoutEffect(() => {
    if (!isOpen.value) return undefined
    box.current?.querySelector<HTMLElement>('input')?.focus()
    const onDown = (event: Event): void => {
      if (event.target instanceof Node && box.current?.contains(event.target) === false) isOpen.value = false
    }
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') isOpen.value = false
    }
    document.addEventListener('pointerdown', onDown)
    document.addEventListener('keydown', onKey)
    return () => {
      document.removeEventListener('pointerdown', onDown)
      document.removeEventListener('keydown', onKey)
    }
  }, [isOpen.value])
  return (
    <div class="menu" ref={box}>
      <button
        type="button"
        class="button"
        aria-expanded={isOpen.value}
        onClick={() => {
          isOpen.value = !isOpen.value
        }}
      >
        <Icon name="filter" />
        Filter
      </button>
      {isOpen.value && (
        <form
          class="menu-box"
          onSubmit={(event) => {
            event.preventDefault()
            const data = new FormData(event.currentTarget)
            isOpen.value = false
            place.go(filtered(place, Object.fromEntries(inForm.map((field) => [field, textOf(data.get(field))]))))
          }}
        >
          <FilterFields query={place.query} />
          <button type="submit" class="button primary">
            Apply
          </button>
        </form>
      )}
    </div>
  )
}

const inForm: readonly Field[] = ['type', 'handler', 'endpoint', 'live', 'error', 'where', 'source', 'realm']

function textOf(value: FormDataEntryValue | null): string | undefined {
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? undefined : text
}

/** Without `value`: the answer with the handlers must not undo what a person has chosen meanwhile. */
function FilterFields({ query }: { readonly query: Readonly<Record<string, string | undefined>> }) {
  const { data } = useApi<HandlerListJson>('handlers')
  const handlers = data?.handlers ?? []
  const patterns = [
    ...new Set(handlers.flatMap(({ pattern }) => (pattern === undefined || pattern === '*' ? [] : [pattern])))
  ]
  return (
    <>
      <TextField label="Type" name="type" list="types" placeholder="order.* or order.accepted" value={query['type']} />
      <datalist id="types">
        {patterns.map((pattern) => (
          <option key={pattern} value={visible(pattern)} />
        ))}
      </datalist>
      <label>
        Handler
        <Select name="handler">
          <option value="">Any</option>
          {handlers.map(({ name }) => (
            <option key={name} value={name} selected={name === query['handler']}>
              {visible(name)}
            </option>
          ))}
        </Select>
      </label>
      <TextField label="Endpoint" name="endpoint" placeholder="/webhooks/stripe" value={query['endpoint']} />
      <label>
        Mode
        <Select name="live">
          <option value="">Any</option>
          {modes.map(({ value, label }) => (
            <option key={value} value={value} selected={value === query['live']}>
              {label}
            </option>
          ))}
        </Select>
      </label>
      <TextField label="Error contains" name="error" placeholder="503" value={query['error']} />
      <TextField
        label="Field"
        name="where"
        placeholder="data.object.totalAmount>100"
        value={query['where']}
        hint="Operators: = != > < >= <= ~ exists. Join conditions with &&"
      />
      <TextField label="Provider" name="source" placeholder="stripe" value={query['source']} />
      <TextField label="Realm" name="realm" value={query['realm']} />
    </>
  )
}
