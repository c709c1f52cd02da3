import type { ReplayJobJson, ReplayListJson } from '../../admin/api-types.ts'
import { useApi } from '../api.ts'
import { Progress } from '../replay/progress.tsx'
import { counted, visible } from '../text.ts'
import { exact } from '../time.ts'
import { Chip } from '../ui/chip.tsx'
import { Command } from '../ui/copy.tsx'
import { Empty, Head, Loading } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

const refreshMs = 5_000

/** The replays of many events: what each selects, who started it, and how far it is. */
export function ReplaysView() {
  const loaded = useApi<ReplayListJson>('replays', refreshMs)
  const { data } = loaded
  return (
    <div class="view">
      <Head title="Replays" note="Replays of many events. They continue after a restart." />
      <Loading {...loaded} rows={3} />
      {data?.replays.length === 0 && (
        <Empty icon="jobs" title="Nothing was replayed yet">
          <p>Select events in the list, or replay a group of failures. A command does it too:</p>
          <Command text="riverhook events replay --state dead --dry-run" />
        </Empty>
      )}
      <ul class="cards">
        {data?.replays.map((job) => (
          <Job key={job.id} job={job} />
        ))}
      </ul>
    </div>
  )
}

function Job({ job }: { readonly job: ReplayJobJson }) {
  return (
    <li class="card">
      <div class="card-head">
        <h2>Replay {job.id}</h2>
        <span class="card-note">
          by {visible(job.actor.name)}, <When at={job.createdAt} />
        </span>
        {job.ratePerSecond !== undefined && <span class="card-note">at most {job.ratePerSecond} a second</span>}
        {job.limit !== undefined && <span class="card-note">the first {job.limit}</span>}
        {job.includeDone && <span class="card-note">with those that are done</span>}
      </div>
      <ul class="chips" aria-label="Selects">
        {conditionsOf(job).map(([name, value]) => (
          <Chip key={name} name={name} value={value} />
        ))}
      </ul>
      <Progress job={job} />
    </li>
  )
}

/** Its conditions, as chips say them. */
function conditionsOf({ filter: { events, ...conditions } }: ReplayJobJson): (readonly [string, string])[] {
  return [
    ...Object.entries(conditions).map(([name, value]) => [name, textOf(name, String(value))] as const),
    ...(events === undefined ? [] : [['chosen', counted(events.length, 'event')] as const])
  ]
}

function textOf(name: string, value: string): string {
  return name === 'since' || name === 'until' ? exact(new Date(value)) : value
}
