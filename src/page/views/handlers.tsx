import type { HandlerJson, HandlerListJson, SeriesJson, TallyRowJson } from '../../admin/api-types.ts'
import { call, may, useApi } from '../api.ts'
import { link } from '../link.ts'
import { count, counted, visible } from '../text.ts'
import { length } from '../time.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Command } from '../ui/copy.tsx'
import { DialogButton } from '../ui/dialog-button.tsx'
import { Badge, Columns, Empty, Head, Loading, Scroll } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'
import { Spark, type SparkBar } from './spark.tsx'

const refreshMs = 10_000

/** Every handler: how its last day was, what waits for it, and a way to pause it. */
export function HandlersView() {
  const loaded = useApi<HandlerListJson>('handlers', refreshMs)
  const { data, reload } = loaded
  const { data: series } = useApi<SeriesJson>('series?since=24h&kind=attempt&step=hour', 60_000)
  return (
    <div class="view">
      <Head title="Handlers" />
      <Loading {...loaded} />
      {data?.handlers.length === 0 && (
        <Empty icon="handlers" title="No handler is registered">
          <p>Events are stored, and nothing runs. Add a handler in the code, then replay what arrived before:</p>
          <Command text="riverhook events replay --handler NAME" />
        </Empty>
      )}
      {data !== undefined && data.handlers.length > 0 && (
        <Scroll label="Handlers">
          <table class="table tall handlers">
            <Columns
              names={[
                ['Handler'],
                ['Last 24 hours', 'c-spark'],
                ['p50', 'numeric', 'Half of the newest attempts took at most this long'],
                ['p95', 'numeric', '95 % of the newest attempts took at most this long'],
                ['Overdue', 'numeric', 'How long the oldest due delivery has waited'],
                ['Pending', 'numeric'],
                ['Waiting', 'numeric'],
                ['Running', 'numeric'],
                ['Parked', 'numeric'],
                ['Dead', 'numeric'],
                ['Pause', 'c-act']
              ]}
            />
            <tbody>
              {data.handlers.map((handler) => (
                <Row key={handler.name} handler={handler} series={series} onChanged={reload} />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </div>
  )
}

interface RowProps {
  readonly handler: HandlerJson
  readonly series: SeriesJson | undefined
  readonly onChanged: () => void
}

function Row({ handler, series, onChanged }: RowProps) {
  const { name, pattern, source, ordered, pausedSince, deliveries, oldestDueAt, lengths } = handler
  const rows = series?.rows.filter((row) => row.name === name) ?? []
  const isPaused = pausedSince !== undefined
  return (
    <tr>
      <td>
        <a href={link(['events'], { handler: name })}>{visible(name)}</a>
        {isPaused && (
          <Badge tone="warn" icon="pause">
            paused <When at={pausedSince} as="age" />
          </Badge>
        )}
        <span class="sub">
          {pattern === undefined ? 'not in the code any more' : <code>{visible(pattern)}</code>}
          {source !== undefined && ` of ${visible(source)}`}
          {ordered === true && ', in order'}
        </span>
      </td>
      <td class="c-spark">{series !== undefined && <Spark bars={barsOf(rows, series)} label={sparkText(rows)} />}</td>
      <td class="numeric">{lengths === undefined ? '–' : length(lengths.p50Ms)}</td>
      <td class="numeric">{lengths === undefined ? '–' : length(lengths.p95Ms)}</td>
      <td class="numeric">{oldestDueAt === undefined ? '–' : <When at={oldestDueAt} as="age" />}</td>
      <Count handler={name} state="pending" value={deliveries.pending} tone="info" />
      <Count handler={name} state="waiting" value={deliveries.waiting} tone="quiet" />
      <Count handler={name} state="running" value={deliveries.running} tone="info" />
      <Count handler={name} state="parked" value={deliveries.parked} tone="quiet" />
      <Count handler={name} state="dead" value={deliveries.dead} tone="bad" />
      <td class="c-act">
        {may('operate') && (
          <DialogButton
            icon={isPaused ? 'play' : 'pause'}
            label={isPaused ? 'Resume' : 'Pause'}
            name={`${isPaused ? 'Resume' : 'Pause'} ${visible(name)}`}
            onDone={onChanged}
            dialog={(onClose) => (
              <Confirm
                title={isPaused ? 'Resume a handler' : 'Pause a handler'}
                label={isPaused ? 'Resume it' : 'Pause it'}
                act={() => call(isPaused ? 'handlers/resume' : 'handlers/pause', { method: 'POST', body: { name } })}
                onClose={onClose}
              >
                <p>
                  {isPaused ? (
                    <>
                      The deliveries that wait for <b>{visible(name)}</b> run now, in their order:{' '}
                      {counted(deliveries.pending + deliveries.waiting, 'delivery')}.
                    </>
                  ) : (
                    <>
                      No delivery of <b>{visible(name)}</b> starts until it is resumed, in any process and after any
                      restart. What arrives is recorded and waits. Attempts that run now finish.
                    </>
                  )}
                </p>
              </Confirm>
            )}
          />
        )}
      </td>
    </tr>
  )
}

interface CountProps {
  readonly handler: string
  readonly state: string
  readonly value: number
  readonly tone: string
}

function Count({ handler, state, value, tone }: CountProps) {
  return (
    <td class="numeric">
      {value === 0 ? (
        <span class="none">0</span>
      ) : (
        <a class={`count ${tone}`} href={link(['events'], { handler, state, since: 'all' })}>
          {count(value)}
        </a>
      )}
    </td>
  )
}

const isGood = ({ outcome }: TallyRowJson): boolean => outcome === 'done'

/** One bar for each hour of the series. */
function barsOf(rows: readonly TallyRowJson[], { since, until }: SeriesJson): SparkBar[] {
  const hour = 3_600_000
  const first = Math.floor(new Date(since).getTime() / hour)
  const length = Math.max(1, Math.ceil(new Date(until).getTime() / hour) - first)
  const bars = Array.from({ length }, () => ({ good: 0, bad: 0 }))
  for (const row of rows) {
    const bar = bars[Math.floor(new Date(row.at).getTime() / hour) - first]
    if (bar !== undefined) bar[isGood(row) ? 'good' : 'bad'] += row.count
  }
  return bars
}

const sum = (rows: readonly TallyRowJson[], value: (row: TallyRowJson) => number): number =>
  rows.reduce((total, row) => total + value(row), 0)

function sparkText(rows: readonly TallyRowJson[]): string {
  const good = sum(rows.filter(isGood), (row) => row.count)
  const all = sum(rows, (row) => row.count)
  return `${count(good)} done, ${count(all - good)} failed`
}
