import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

import type { ReplayJobJson } from '../../admin/api-types.ts'
import { useAct } from '../act.ts'
import { call, may, useApi } from '../api.ts'
import { count, counted, visible } from '../text.ts'
import { now } from '../time.ts'
import { ActProblem } from '../ui/act-problem.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { Badge, type Tone } from '../ui/pieces.tsx'

const refreshMs = 1_000

const looks: Readonly<
  Record<ReplayJobJson['state'], { readonly icon: IconName; readonly tone: Tone; readonly word: string }>
> = {
  waiting: { icon: 'waiting', tone: 'quiet', word: 'waiting' },
  running: { icon: 'running', tone: 'info', word: 'running' },
  stopped: { icon: 'parked', tone: 'warn', word: 'stopped' },
  done: { icon: 'done', tone: 'good', word: 'done' },
  failed: { icon: 'dead', tone: 'bad', word: 'failed' }
}

const isEnded = ({ state }: ReplayJobJson): boolean => state !== 'waiting' && state !== 'running'

/** The progress of a replay job, read again until it ends, and a way to stop it. */
export function Progress({ job: given }: { readonly job: ReplayJobJson }) {
  const { isBusy, problem, run } = useAct()
  const isOver = useSignal(isEnded(given))
  const { data, reload } = useApi<ReplayJobJson>(
    isEnded(given) ? undefined : `replays/${given.id}`,
    isOver.value ? undefined : refreshMs
  )
  const job = isEnded(given) ? given : (data ?? given)
  useEffect(() => {
    isOver.value = isEnded(job)
  }, [job])
  const { icon, tone, word } = looks[job.state]
  const all = Math.min(job.limit ?? Infinity, Math.max(job.planned, madeDue(job)))
  return (
    <div class="progress">
      <p class="progress-head" role="status">
        <Badge tone={tone} icon={icon}>
          {word}
        </Badge>
        <span class="number">
          {count(madeDue(job))} of {counted(all, 'delivery')}
        </span>
        <span class="progress-rate number">
          {[
            rateText(job),
            ...(job.skipped > 0 ? [`${count(job.skipped)} skipped`] : []),
            ...(job.refused > 0 ? [`${count(job.refused)} refused by the inbox`] : [])
          ]
            .filter(Boolean)
            .join(', ')}
        </span>
        {!isEnded(job) && may('operate') && (
          <button
            type="button"
            class="button"
            aria-label={`Stop replay ${job.id}`}
            title="Replay nothing more. Deliveries already due still run."
            disabled={isBusy.value}
            onClick={() => void run(() => call(`replays/${job.id}`, { method: 'DELETE' })).then(reload)}
          >
            <Icon name="close" />
            Stop
          </button>
        )}
      </p>
      <progress
        class={tone}
        aria-label={`Replay ${job.id}`}
        max={Math.max(1, all)}
        value={job.state === 'done' ? Math.max(1, all) : madeDue(job)}
      />
      {job.error !== undefined && <pre class="error-text">{visible(job.error)}</pre>}
      <ActProblem text={problem.value} />
    </div>
  )
}

const madeDue = ({ replayed, created }: ReplayJobJson): number => replayed + created

/** How fast it is, or was. */
function rateText(job: ReplayJobJson): string {
  if (job.startedAt === undefined) return ''
  const end = job.endedAt === undefined ? now.value : new Date(job.endedAt).getTime()
  const seconds = (end - new Date(job.startedAt).getTime()) / 1_000
  if (seconds < 1 || madeDue(job) === 0) return ''
  const rate = madeDue(job) / seconds
  return `${rate < 10 ? rate.toFixed(1) : count(Math.round(rate))} a second`
}
