import { useSignal } from '@preact/signals'

import type { BackfillBodyJson, BackfillReportJson, WatermarkJson, WatermarkListJson } from '../../admin/api-types.ts'
import { useAct } from '../act.ts'
import { call, may, useApi } from '../api.ts'
import { count, counted, visible } from '../text.ts'
import { ActProblem } from '../ui/act-problem.tsx'
import { Field } from '../ui/field.tsx'
import { Icon } from '../ui/icon.tsx'
import { Columns, Empty, Head, Loading, Scroll } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

/** How far the provider's list of events was read, and a way to read a part of it now. */
export function BackfillView() {
  const loaded = useApi<WatermarkListJson>('backfills')
  const { data, reload } = loaded
  const marks = data?.watermarks.flatMap((mark) => {
    const what = meaningOf(mark)
    return what === undefined ? [] : [{ ...mark, what }]
  })
  return (
    <div class="view">
      <Head title="Backfill" note="Events that the provider lists and that never arrived." />
      <Loading {...loaded} rows={3} />
      {marks?.length === 0 && (
        <Empty icon="backfill" title="Nothing was fetched yet">
          <p>Check below what is missing. An endpoint with an API key and backfill checks at intervals.</p>
        </Empty>
      )}
      {marks !== undefined && marks.length > 0 && (
        <Scroll label="Backfill">
          <table class="table">
            <Columns names={[['What'], ['Realm', 'c-name'], ['Until', 'c-exact'], ['Ago', 'numeric c-count']]} />
            <tbody>
              {marks.map(({ realm, name, at, what }) => (
                <tr key={`${realm} ${name}`}>
                  <td title={visible(what)}>{visible(what)}</td>
                  <td>{visible(realm)}</td>
                  <td>
                    <When at={at} as="exact" />
                  </td>
                  <td class="numeric">
                    <When at={at} as="age" />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {may('operate') && <Fetch onDone={reload} />}
    </div>
  )
}

/** Says in words what a watermark is about. Undefined for those that are of no use to a person. */
function meaningOf({ name }: WatermarkJson): string | undefined {
  if (name === 'purged') return 'old events were purged'
  return name.startsWith('backfill ') ? `the provider's list was read for ${name.slice('backfill '.length)}` : undefined
}

function Fetch({ onDone }: { readonly onDone: () => void }) {
  const { isBusy, problem, run } = useAct()
  const planned = useSignal<{ readonly body: BackfillBodyJson; readonly report: BackfillReportJson } | undefined>(
    undefined
  )
  const done = useSignal<BackfillReportJson | undefined>(undefined)
  const look = async (form: HTMLFormElement): Promise<void> => {
    const data = new FormData(form)
    const field = (name: string): string | undefined => {
      const value = data.get(name)
      return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
    }
    const [since = '24h', until, type] = ['since', 'until', 'type'].map(field)
    const body: BackfillBodyJson = {
      since,
      ...(until === undefined ? {} : { until }),
      ...(type === undefined ? {} : { type })
    }
    done.value = undefined
    planned.value = undefined
    const report = await run(() =>
      call<BackfillReportJson>('backfills', { method: 'POST', body: { ...body, dryRun: true } })
    )
    // With its times fixed, so that the second look is at the same time as the first.
    if (report !== undefined) planned.value = { body: { ...body, since: report.since, until: report.until }, report }
  }
  const fetchThem = async (body: BackfillBodyJson): Promise<void> => {
    done.value = await run(() => call<BackfillReportJson>('backfills', { method: 'POST', body }))
    if (done.value === undefined) return
    planned.value = undefined
    onDone()
  }
  return (
    <section class="card fetch">
      <h2>Fetch now</h2>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault()
          void look(event.currentTarget)
        }}
      >
        <Field label="Created since" name="since" value="24h" placeholder="24h or 2026-11-26T14:00Z" />
        <Field label="Until" name="until" placeholder="now" />
        <Field label="Type" name="type" placeholder="those of the handlers" />
        <button type="submit" class="button" disabled={isBusy.value}>
          {isBusy.value ? 'Reading…' : 'Find what is missing'}
        </button>
      </form>
      <ActProblem text={problem.value} />
      {planned.value !== undefined && (
        <div role="status" class="report">
          <Report report={planned.value.report} />
          {planned.value.report.recovered === 0 ? (
            <p>
              <Icon name="done" /> Nothing is missing.
            </p>
          ) : (
            <button
              type="button"
              class="button primary"
              disabled={isBusy.value}
              onClick={() => {
                const body = planned.value?.body
                if (body !== undefined) void fetchThem(body)
              }}
            >
              Store {counted(planned.value.report.recovered, 'event')}, and run the handlers
            </button>
          )}
        </div>
      )}
      {done.value !== undefined && (
        <div role="status" class="report">
          <p>
            <Icon name="done" /> {counted(done.value.recovered, 'event')} stored.
          </p>
          <Report report={done.value} />
        </div>
      )}
    </section>
  )
}

function Report({ report }: { readonly report: BackfillReportJson }) {
  const facts: readonly (readonly [string, number])[] = [
    ['listed by the provider', report.listed],
    ['had arrived', report.arrived],
    ['missing', report.recovered],
    ['quarantined', report.quarantined],
    ['perhaps purged', report.forgotten]
  ]
  return (
    <>
      <dl class="tiles">
        {facts.map(([name, value]) => (
          <div key={name} class="tile">
            <dt>{name}</dt>
            <dd class="number">{count(value)}</dd>
          </div>
        ))}
      </dl>
      {report.gap !== undefined && (
        <p class="caution">
          <Icon name="failures" />
          <span>
            The provider keeps its events for a limited time: those from <When at={report.gap.since} as="exact" /> to{' '}
            <When at={report.gap.until} as="exact" /> cannot be fetched.
          </span>
        </p>
      )}
    </>
  )
}
