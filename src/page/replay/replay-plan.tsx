import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

import type { ReplayBodyJson, ReplayJobJson, ReplayPlanJson } from '../../admin/api-types.ts'
import { useAct } from '../act.ts'
import { call } from '../api.ts'
import { link } from '../link.ts'
import { count, counted, visible } from '../text.ts'
import { TypedCount } from '../ui/confirm.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Select } from '../ui/field.tsx'
import { Icon } from '../ui/icon.tsx'
import { Columns, Skeleton } from '../ui/pieces.tsx'
import { StateBadge } from '../ui/state.tsx'
import { When } from '../ui/when.tsx'
import { Progress } from './progress.tsx'

/** The events of a replay. */
export type Selection = Pick<ReplayBodyJson, 'filter' | 'events'>

interface ReplayPlanProps {
  readonly title: string
  readonly selection: Selection
  /** A warning about what the selection holds besides. */
  readonly caution?: string | undefined
  readonly onClose: (isStarted: boolean) => void
}

const rates = [
  { value: '', label: 'as fast as possible' },
  { value: '1', label: '1 a second' },
  { value: '10', label: '10 a second' },
  { value: '100', label: '100 a second' }
]

/** Plans a replay and shows it by handler and state; starts it when a person has agreed; then shows its progress. */
export function ReplayPlan({ title, selection, caution, onClose }: ReplayPlanProps) {
  const planning = useAct()
  const { isBusy, problem, run } = useAct()
  const includeDone = useSignal(selection.filter?.state === 'done')
  const rate = useSignal('')
  const plan = useSignal<ReplayPlanJson | undefined>(undefined)
  const job = useSignal<ReplayJobJson | undefined>(undefined)
  /** The plan whose count was typed. */
  const agreed = useSignal<string | undefined>(undefined)
  useEffect(() => {
    let isGone = false
    plan.value = undefined
    const body: ReplayBodyJson = {
      ...selection,
      ...(includeDone.value ? { includeDone: true } : {}),
      ...(rate.value === '' ? {} : { ratePerSecond: Number(rate.value) }),
      dryRun: true
    }
    void planning
      .run(() => call<ReplayPlanJson>('replays', { method: 'POST', body }))
      .then((answer) => {
        if (!isGone) plan.value = answer
      })
    return () => {
      isGone = true
    }
  }, [includeDone.value, rate.value])
  const again = sumOf(plan.value, ({ state, skipped }) => state === 'done' && !skipped)
  const start = async ({ plan, count: expectedCount }: ReplayPlanJson): Promise<void> => {
    job.value = await run(() => call<ReplayJobJson>('replays', { method: 'POST', body: { plan, expectedCount } }))
  }
  const close = (): void => {
    onClose(job.value !== undefined)
  }
  if (job.value !== undefined)
    return (
      <Dialog
        title={title}
        cancel="Close"
        onClose={close}
        actions={
          <a class="button" href={link(['replays'])}>
            All replays
          </a>
        }
      >
        <Progress job={job.value} />
      </Dialog>
    )
  const planned = plan.value
  return (
    <Dialog
      title={title}
      isBusy={isBusy.value}
      problem={planning.problem.value ?? problem.value}
      onClose={close}
      actions={
        <button
          type="button"
          class={`button ${again > 0 ? 'danger' : 'primary'}`}
          disabled={
            isBusy.value || planned === undefined || planned.count === 0 || (again > 0 && agreed.value !== planned.plan)
          }
          onClick={() => {
            if (planned !== undefined) void start(planned)
          }}
        >
          {planned === undefined || planned.count === 0
            ? 'Replay'
            : `Replay ${planned.capped ? `${count(planned.count)} or more deliveries` : counted(planned.count, 'delivery')}`}
        </button>
      }
    >
      {planned === undefined && planning.problem.value === undefined && <Skeleton rows={3} />}
      {planned !== undefined && <PlanTable plan={planned} />}
      {caution !== undefined && (
        <p class="caution">
          <Icon name="failures" />
          {caution}
        </p>
      )}
      <div class="plan-options">
        <label class="check">
          <input
            type="checkbox"
            checked={includeDone.value}
            disabled={selection.filter?.state === 'done'}
            onChange={(event) => {
              includeDone.value = event.currentTarget.checked
            }}
          />
          Include done deliveries
        </label>
        <label class="check">
          Speed
          <Select
            value={rate.value}
            onChange={(value) => {
              rate.value = value
            }}
          >
            {rates.map(({ value, label }) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </Select>
        </label>
      </div>
      {again > 0 && planned !== undefined && (
        <TypedCount
          key={planned.plan}
          count={planned.count}
          text={`${counted(again, 'delivery')} succeeded already: what ${again === 1 ? 'its handler does' : 'their handlers do'} happens a second time.`}
          onChange={(isTyped) => {
            agreed.value = isTyped ? planned.plan : undefined
          }}
        />
      )}
    </Dialog>
  )
}

type Line = ReplayPlanJson['byHandler'][number]

function sumOf(plan: ReplayPlanJson | undefined, is: (line: Line) => boolean): number {
  return plan?.byHandler.filter(is).reduce((sum, line) => sum + line.count, 0) ?? 0
}

/** What becomes of the deliveries, by handler and state. */
function PlanTable({ plan }: { readonly plan: ReplayPlanJson }) {
  const { byHandler, events, oldest, newest } = plan
  if (byHandler.length === 0) return <p>No delivery matches: there is nothing to replay.</p>
  return (
    <>
      <table class="plan-table">
        <Columns names={[['Handler'], ['State'], ['Deliveries', 'numeric'], ['Then']]} />
        <tbody>
          {byHandler.map(({ handler, state, count: deliveries, skipped }) => (
            <tr key={JSON.stringify([handler, state, skipped])} class={skipped ? 'none' : undefined}>
              <th scope="row">{visible(handler)}</th>
              <td>{state === 'missing' ? 'not there yet' : <StateBadge delivery={{ state, attempts: 0 }} />}</td>
              <td class="numeric">{count(deliveries)}</td>
              <td>{skipped ? 'skipped' : state === 'missing' ? 'created' : 'runs again'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {events > 0 && oldest !== undefined && newest !== undefined && (
        <p class="hint">
          {counted(events, 'event')}, received{' '}
          {oldest !== newest && (
            <>
              from <When at={oldest} /> to{' '}
            </>
          )}
          <When at={newest} />. What arrives from now on is not replayed.
        </p>
      )}
    </>
  )
}
