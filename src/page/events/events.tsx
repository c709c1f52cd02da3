import { useSignal } from '@preact/signals'

import { may } from '../api.ts'
import { EventPanel } from '../event/event.tsx'
import { link, usePlace } from '../link.ts'
import { count, counted } from '../text.ts'
import { Command } from '../ui/copy.tsx'
import { Icon } from '../ui/icon.tsx'
import { Empty, Head, Loading, Older } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'
import { apiQuery, fieldNames, problemOf, spanOf } from './filter.ts'
import { Filters } from './filters.tsx'
import { ActsOnAll, SelectedBar } from './selection.tsx'
import { EventTable } from './table.tsx'
import { keyOf, useRows, type Connection } from './rows.ts'
import { Volume } from './volume.tsx'

const pageSize = 50

/** The list of events, with the open event beside it. */
export function Events() {
  const place = usePlace()
  const { query, segments } = place
  const [, realm, id] = segments
  const isOpen = realm !== undefined && id !== undefined
  const isLive = query['tail'] === 'on' && query['after'] === undefined
  const wrong = problemOf(query)
  const selected = useSignal<ReadonlySet<string>>(new Set())
  const params = apiQuery(wrong === undefined ? query : {})
  params.set('limit', String(pageSize))
  if (query['after'] !== undefined) params.set('after', query['after'])
  const found = useRows(params, {
    isLive,
    mayMove: () => !isOpen && window.scrollY < 80 && selected.value.size === 0
  })
  const { rows } = found
  const chosen = rows?.filter((row) => selected.value.has(keyOf(row))) ?? []
  const close = link(['events'], query)
  return (
    <div class={isOpen ? 'split' : undefined}>
      <div class="view">
        <Head title="Events">
          {!isOpen && may('operate') && wrong === undefined && <ActsOnAll query={query} onDone={found.reload} />}
          <LiveButton
            isLive={isLive}
            connection={found.connection}
            to={link(segments, { ...query, tail: isLive ? undefined : 'on', after: undefined })}
          />
        </Head>
        <Filters />
        {wrong !== undefined && (
          <p class="problem" role="alert">
            <Icon name="failures" />
            {wrong}
          </p>
        )}
        {!isOpen && wrong === undefined && <Volume query={query} />}
        <Loading data={rows} error={found.error} reload={found.reload} rows={12} />
        {found.waiting > 0 && (
          <button
            type="button"
            class="news"
            onClick={() => {
              window.scrollTo({ top: 0 })
              found.show()
            }}
          >
            {count(found.waiting)} new
          </button>
        )}
        {rows?.length === 0 && found.searchedTo === undefined && <NoEvents />}
        {rows !== undefined && rows.length > 0 && (
          <EventTable
            selected={isOpen || !may('operate') ? undefined : selected}
            rows={rows}
            isStale={found.isLoading}
            isNarrow={isOpen}
            open={isOpen ? keyOf({ realm, id }) : undefined}
            to={(event) => link(['events', event.realm, event.id], query)}
            onOpen={(event) => {
              place.go(link(['events', event.realm, event.id], query), isOpen)
            }}
            onClose={() => {
              if (isOpen) place.go(close)
            }}
          />
        )}
        {!isOpen && chosen.length > 0 && <SelectedBar chosen={chosen} selected={selected} onDone={found.reload} />}
        {found.isLoading && (query['where'] ?? query['error']) !== undefined && (
          <p class="searched" role="status">
            Searching…
          </p>
        )}
        {rows !== undefined && !found.isLoading && found.searchedTo !== undefined && found.next !== undefined && (
          <p class="searched" role="status">
            <span>
              Searched back to <When at={found.searchedTo} />: {counted(rows.length, 'event')} found.
            </span>
            <a class="button" href={link(segments, { ...query, after: found.next, tail: undefined })}>
              Continue
            </a>
          </p>
        )}
        {rows !== undefined && (query['after'] !== undefined || found.next !== undefined) && (
          <nav class="pager" aria-label="Pages">
            {query['after'] !== undefined && (
              <>
                <a class="button" href={link(segments, { ...query, after: undefined })}>
                  Newest
                </a>
                <button
                  type="button"
                  class="button"
                  onClick={() => {
                    history.back()
                  }}
                >
                  <Icon name="left" />
                  Newer
                </button>
              </>
            )}
            {found.next !== undefined && found.searchedTo === undefined && (
              <Older to={link(segments, { ...query, after: found.next, tail: undefined })} />
            )}
          </nav>
        )}
      </div>
      {isOpen && <EventPanel key={keyOf({ realm, id })} realm={realm} id={id} closeTo={close} />}
    </div>
  )
}

const words: Readonly<Record<Connection, string>> = {
  off: 'Live',
  connecting: 'Connecting…',
  open: 'Live',
  lost: 'Connection lost, trying again'
}

function LiveButton({
  isLive,
  connection,
  to
}: {
  readonly isLive: boolean
  readonly connection: Connection
  readonly to: string
}) {
  const { go } = usePlace()
  return (
    <>
      <button
        type="button"
        class={`button live ${isLive ? connection : 'off'}`}
        aria-pressed={isLive}
        title={isLive ? 'Stop showing new events' : 'Show new events as they arrive'}
        onClick={() => {
          go(to, true)
        }}
      >
        <i class="live-dot" />
        {words[isLive ? connection : 'off']}
      </button>
      <span class="sr" role="status">
        {isLive ? words[connection] : ''}
      </span>
    </>
  )
}

function NoEvents() {
  const { query } = usePlace()
  const isFiltered = fieldNames.some((name) => query[name] !== undefined) || (query['state'] ?? '') !== ''
  const { since } = spanOf(query)
  if (isFiltered)
    return (
      <Empty icon="search" title="No event matches">
        <p>
          {since === undefined
            ? 'Nothing in the inbox matches all of the filters.'
            : 'Nothing in this time matches all of the filters.'}
        </p>
        <p class="empty-actions">
          {since !== undefined && (
            <a class="button" href={link(['events'], { ...query, since: 'all', until: undefined, after: undefined })}>
              Search all time
            </a>
          )}
          <a class="button" href={link(['events'])}>
            Clear the filters
          </a>
        </p>
      </Empty>
    )
  return (
    <Empty icon="inbox" title={since === undefined ? 'No event has arrived yet' : 'No event arrived in this time'}>
      <p>Send one to the endpoint to see it here:</p>
      <Command text="riverhook trigger order.accepted" />
      {since !== undefined && (
        <p class="empty-actions">
          <a class="button" href={link(['events'], { since: 'all' })}>
            Show all time
          </a>
        </p>
      )}
    </Empty>
  )
}
