import { useEffect, useRef, useState } from 'preact/hooks'

import type { EventPageJson, EventSummaryJson } from '../../admin/api-types.ts'
import { apiPath, useApi, type Loaded } from '../api.ts'

/** The most rows of a list that grows at its head. */
const most = 200

/** How often the states of the rows are read again while the list is live. */
const refreshMs = 5_000

export type Connection = 'off' | 'connecting' | 'open' | 'lost'

export interface Rows extends Omit<Loaded<EventPageJson>, 'data'> {
  readonly rows: readonly EventSummaryJson[] | undefined
  readonly next: string | undefined
  /** How far back a search has looked that was too long for one page. */
  readonly searchedTo: string | undefined
  /** How many new events wait to be shown. */
  readonly waiting: number
  readonly show: () => void
  readonly connection: Connection
}

export const keyOf = ({ realm, id }: Pick<EventSummaryJson, 'realm' | 'id'>): string => JSON.stringify([realm, id])

/**
 * The rows of a list. While it is live, new events come in at its head, but only while `mayMove` allows it.
 * Otherwise they wait, and are counted.
 */
export function useRows(
  query: URLSearchParams,
  { isLive, mayMove }: { readonly isLive: boolean; readonly mayMove: () => boolean }
): Rows {
  const path = `events?${query.toString()}`
  const loaded = useApi<EventPageJson>(path, isLive ? refreshMs : undefined)
  const [rows, setRows] = useState<readonly EventSummaryJson[] | undefined>(undefined)
  const [waiting, setWaiting] = useState<readonly EventSummaryJson[]>([])
  const shownPath = useRef('')
  const known = useRef<ReadonlySet<string>>(new Set())
  const current = useRef({ rows, mayMove })
  current.current = { rows, mayMove }

  const put = (fresh: readonly EventSummaryJson[]): void => {
    const news = fresh.filter((event) => !known.current.has(keyOf(event)))
    if (news.length === 0) return
    known.current = new Set([...known.current, ...news.map(keyOf)])
    if (current.current.mayMove()) setRows((before = []) => [...news, ...before].slice(0, most))
    else setWaiting((before) => [...news, ...before].slice(0, most))
  }

  useEffect(() => {
    const page = loaded.data?.events
    if (page === undefined) {
      if (!loaded.isLoading) setRows(undefined)
      return
    }
    if (shownPath.current !== path || !isLive) {
      shownPath.current = path
      known.current = new Set(page.map(keyOf))
      setRows(page)
      setWaiting([])
      return
    }
    const latest = new Map(page.map((event) => [keyOf(event), event]))
    setRows((before = []) => before.map((event) => latest.get(keyOf(event)) ?? event))
    put(page)
  }, [loaded.data])

  const connection = useTail(isLive ? tailQuery(query) : undefined, (event) => {
    put([event])
  })

  return {
    rows,
    next: loaded.data?.next,
    searchedTo: loaded.data?.searchedTo,
    waiting: waiting.length,
    show: () => {
      setRows((before = []) => [...waiting, ...before].slice(0, most))
      setWaiting([])
    },
    connection,
    error: loaded.error,
    isLoading: loaded.isLoading,
    reload: loaded.reload
  }
}

function tailQuery(query: URLSearchParams): string {
  const params = new URLSearchParams(query)
  for (const name of ['limit', 'after', 'until']) params.delete(name)
  return params.toString()
}

/** Listens to new events. Closed while the tab is hidden; the list is read again by its own interval. */
function useTail(query: string | undefined, onEvent: (event: EventSummaryJson) => void): Connection {
  const [connection, setConnection] = useState<Connection>('off')
  const listener = useRef(onEvent)
  listener.current = onEvent
  useEffect(() => {
    if (query === undefined) {
      setConnection('off')
      return undefined
    }
    let source: EventSource | undefined
    let last = ''
    let timer: ReturnType<typeof setTimeout> | undefined
    const open = (): void => {
      if (document.hidden || source !== undefined) return
      setConnection((before) => (before === 'lost' ? before : 'connecting'))
      source = new EventSource(
        apiPath(`events/tail?${query}${last === '' ? '' : `&lastEventId=${encodeURIComponent(last)}`}`)
      )
      source.onopen = () => {
        setConnection('open')
      }
      source.addEventListener('event', (message: MessageEvent<string>) => {
        last = message.lastEventId
        listener.current(JSON.parse(message.data) as EventSummaryJson)
      })
      source.onerror = () => {
        setConnection('lost')
        // The browser tries again, except after an answer that is no stream.
        if (source?.readyState !== EventSource.CLOSED) return
        close()
        timer = setTimeout(open, 5_000)
      }
    }
    const close = (): void => {
      clearTimeout(timer)
      source?.close()
      source = undefined
    }
    const onVisibility = (): void => {
      if (document.hidden) close()
      else open()
    }
    open()
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      document.removeEventListener('visibilitychange', onVisibility)
      close()
    }
  }, [query])
  return connection
}
