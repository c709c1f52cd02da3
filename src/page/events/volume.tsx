import { useSignal, type Signal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'

import type { SeriesJson } from '../../admin/api-types.ts'
import { useApi } from '../api.ts'
import { link, usePlace, type Query } from '../link.ts'
import { theme, zone } from '../settings.ts'
import { count } from '../text.ts'
import { day, minute, readTime } from '../time.ts'
import { Segmented } from '../ui/pieces.tsx'
import { fieldNames, spanOf } from './filter.ts'
import { drawBars } from './plot.ts'
import { outcomes, toBuckets, type Buckets, type Kind } from './buckets.ts'

/** Up to this span the chart is made of minutes. */
const minutesUpToMs = 6.5 * 3_600_000

/** How far back the chart of all time goes: hours are kept so long. */
const longest = '90d'

interface VolumeProps {
  readonly query: Query
}

/** How much arrived when, stacked by outcome. A drag over it chooses the time of the list. */
export function Volume({ query }: VolumeProps) {
  const place = usePlace()
  const span = spanOf(query)
  const { type } = query
  const kind: Kind = place.query['chart'] === 'attempts' ? 'attempt' : 'event'
  const since = span.since ?? longest
  const from = readTime(since)?.getTime() ?? 0
  const to = (span.until === undefined ? undefined : readTime(span.until)?.getTime()) ?? Date.now()
  const params = new URLSearchParams({ since, kind, step: to - from <= minutesUpToMs ? 'minute' : 'hour' })
  if (span.until !== undefined) params.set('until', span.until)
  const isOfType = type !== undefined && kind === 'event' && !type.includes('*')
  if (isOfType) params.set('name', type)
  const isPart = ['state', ...fieldNames].some((name) => query[name] !== undefined && !(name === 'type' && isOfType))
  const { data, error } = useApi<SeriesJson>(`series?${params.toString()}`, 30_000)
  const buckets = useMemo(
    () => (data === undefined ? undefined : toBuckets(data, kind, span.since === undefined)),
    [data]
  )
  const hovered = useSignal<number | undefined>(undefined)
  if (error !== undefined) return null
  return (
    <section class="volume" aria-label="Volume">
      <div class="volume-head">
        <Segmented<Kind>
          label="Chart"
          value={kind}
          choices={[
            { value: 'event', label: 'Events' },
            { value: 'attempt', label: 'Attempts' }
          ]}
          onChange={(value) => {
            place.go(place.with({ chart: value === 'attempt' ? 'attempts' : undefined }), true)
          }}
        />
        {buckets !== undefined && <Legend kind={kind} buckets={buckets} hovered={hovered} isPart={isPart} />}
      </div>
      {buckets === undefined ? (
        <div class="volume-plot loading" />
      ) : (
        <Plot
          key={`${kind}${buckets.stepSeconds}`}
          kind={kind}
          buckets={buckets}
          hovered={hovered}
          onSelect={(since, until) => {
            place.go(
              link(['events'], {
                ...place.query,
                since: since.toISOString(),
                until: until.toISOString(),
                after: undefined,
                tail: undefined
              })
            )
          }}
        />
      )}
      {buckets !== undefined && <Numbers kind={kind} buckets={buckets} />}
    </section>
  )
}

/** The counts of the bar under the pointer, or of the whole time. */
function Legend({
  kind,
  buckets,
  hovered,
  isPart
}: {
  readonly kind: Kind
  readonly buckets: Buckets
  readonly hovered: Signal<number | undefined>
  /** True if the list has only a part of what is counted. */
  readonly isPart: boolean
}) {
  const at = hovered.value
  return (
    <div class="legend">
      {outcomes[kind].map(({ name, label, tone }, index) => {
        const counts = buckets.counts[index] ?? []
        const all = counts.reduce((sum, value) => sum + value, 0)
        if (all === 0 && index > 0) return null
        return (
          <span key={name} class={`legend-item ${tone}`}>
            <i />
            {label}
            <b class="number">{count(at === undefined ? all : (counts[at] ?? 0))}</b>
          </span>
        )
      })}
      <span class="legend-time number">
        {at !== undefined ? bucketText(buckets, at) : isPart ? 'all, not only the list' : 'drag to choose a time'}
      </span>
    </div>
  )
}

function bucketText({ at, stepSeconds }: Buckets, index: number): string {
  const from = new Date((at[index] ?? 0) * 1_000)
  if (stepSeconds >= 86_400) return day(from)
  return `${day(from)} ${minute(from)}–${minute(new Date(from.getTime() + stepSeconds * 1_000))}`
}

/** The same numbers as a table, for those who do not see the chart. */
function Numbers({ kind, buckets }: { readonly kind: Kind; readonly buckets: Buckets }) {
  const columns = outcomes[kind]
  return (
    <div class="sr">
      <table>
        <caption>Volume</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            {columns.map(({ name, label }) => (
              <th key={name} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {buckets.at.map((at, index) =>
            buckets.counts.every((counts) => counts[index] === 0) ? null : (
              <tr key={at}>
                <th scope="row">{bucketText(buckets, index)}</th>
                {columns.map(({ name }, column) => (
                  <td key={name}>{buckets.counts[column]?.[index]}</td>
                ))}
              </tr>
            )
          )}
        </tbody>
      </table>
    </div>
  )
}

interface PlotProps {
  readonly kind: Kind
  readonly buckets: Buckets
  readonly hovered: Signal<number | undefined>
  readonly onSelect: (since: Date, until: Date) => void
}

/** The drawing, by uPlot, which is loaded only where there is a chart. */
function Plot({ kind, buckets, hovered, onSelect }: PlotProps) {
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<{ readonly show: (buckets: Buckets) => void; readonly end: () => void } | undefined>(undefined)
  const latest = useRef({ buckets, onSelect })
  latest.current = { buckets, onSelect }
  useEffect(() => {
    let isGone = false
    void import('uplot').then(({ default: Chart }) => {
      if (isGone || box.current === null) return
      chart.current = drawBars(Chart, box.current, {
        tones: outcomes[kind].map(({ tone }) => tone),
        labelOf: (at, isDay) => (isDay ? day(at) : minute(at)),
        buckets: latest.current.buckets,
        onHover: (index) => {
          hovered.value = index
        },
        onSelect: (since, until) => {
          latest.current.onSelect(since, until)
        }
      })
    })
    return () => {
      isGone = true
      chart.current?.end()
      chart.current = undefined
    }
  }, [kind, theme.value, zone.value])
  useEffect(() => {
    chart.current?.show(buckets)
  }, [buckets])
  return <div class="volume-plot" ref={box} aria-hidden="true" />
}
