import type { InboxJson, StatsJson } from '../../admin/api-types.ts'
import { useApi } from '../api.ts'
import { link } from '../link.ts'
import { count, visible } from '../text.ts'
import { Head, Problem, Scroll, Skeleton } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

/** Counts of what the inbox holds, and the servers that use it. */
export function InboxView() {
  const { data: inbox, error, reload } = useApi<InboxJson>('inbox', 10_000)
  const { data: stats, error: statsError } = useApi<StatsJson>('stats', 10_000)
  return (
    <div class="view">
      <Head title="Inbox" />
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {statsError !== undefined && <Problem error={statsError} />}
      {inbox === undefined && error === undefined && <Skeleton rows={4} />}
      {stats !== undefined && (
        <dl class="tiles">
          <Tile name="Events" value={stats.events} to={link(['events'], { since: 'all' })} />
          <Tile
            name="Dead deliveries"
            value={stats.deliveries.dead}
            to={link(['events'], { state: 'dead', since: 'all' })}
            tone="bad"
          />
          <Tile
            name="Pending"
            value={stats.deliveries.pending}
            to={link(['events'], { state: 'pending', since: 'all' })}
            tone="info"
          />
          <Tile
            name="Waiting"
            value={stats.deliveries.waiting}
            to={link(['events'], { state: 'waiting', since: 'all' })}
          />
          <Tile
            name="Running"
            value={stats.deliveries.running}
            to={link(['events'], { state: 'running', since: 'all' })}
          />
          <Tile
            name="Parked"
            value={stats.deliveries.parked}
            to={link(['events'], { state: 'parked', since: 'all' })}
          />
          <Tile name="Done" value={stats.deliveries.done} to={link(['events'], { state: 'done', since: 'all' })} />
          <Tile name="Quarantined" value={stats.quarantined} to={link(['quarantine'])} tone="warn" />
          <Tile name="Backfilled" value={stats.backfilled} />
          <Tile name="Duplicates" value={stats.duplicates} />
          <Tile name="Conflicts" value={stats.conflicts} tone="bad" />
        </dl>
      )}
      {stats !== undefined && <Refused lastDay={stats.lastDay} />}
      {inbox !== undefined && (
        <dl class="facts wide">
          <div>
            <dt>Engine</dt>
            <dd>{visible(inbox.engine)}</dd>
          </div>
          <div>
            <dt>Riverhook</dt>
            <dd class="number">{visible(inbox.version)}</dd>
          </div>
          <div>
            <dt>Oldest event</dt>
            <dd>{inbox.oldestEventAt === undefined ? 'none' : <When at={inbox.oldestEventAt} as="exact" />}</dd>
          </div>
          {stats !== undefined && (
            <div>
              <dt>Longest overdue</dt>
              <dd>
                {stats.oldestDueAt === undefined ? 'nothing is overdue' : <When at={stats.oldestDueAt} as="age" />}
              </dd>
            </div>
          )}
          <div>
            <dt>Inbox clock</dt>
            <dd>
              <When at={inbox.now} as="exact" />
            </dd>
          </div>
          {inbox.servers !== undefined && (
            <div>
              <dt>Servers</dt>
              <dd>
                {inbox.servers.length === 0
                  ? 'none'
                  : inbox.servers.map((name) => <code key={name}>{visible(name)} </code>)}
              </dd>
            </div>
          )}
        </dl>
      )}
    </div>
  )
}

/** The requests that were refused in the last 24 hours. */
function Refused({ lastDay: { refused } }: { readonly lastDay: StatsJson['lastDay'] }) {
  return (
    <section class="part">
      <h2>Refused requests of the last 24 hours</h2>
      {refused.length === 0 ? (
        <p class="hint">None.</p>
      ) : (
        <Scroll label="Refused requests">
          <table class="table refused">
            <thead>
              <tr>
                <th scope="col">Endpoint</th>
                <th scope="col">Code</th>
                <th scope="col" class="numeric">
                  Count
                </th>
                <th scope="col" class="numeric">
                  First
                </th>
                <th scope="col" class="numeric">
                  Last
                </th>
              </tr>
            </thead>
            <tbody>
              {refused.map(({ endpoint, code, count: times, firstAt, lastAt }) => (
                <tr key={JSON.stringify([endpoint, code])}>
                  <td title={visible(endpoint)}>
                    <code>{visible(endpoint)}</code>
                  </td>
                  <td title={visible(code)}>
                    <code>{visible(code)}</code>
                  </td>
                  <td class="numeric">{count(times)}</td>
                  <td class="numeric">
                    <When at={firstAt} as="age" />
                  </td>
                  <td class="numeric">
                    <When at={lastAt} as="age" />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  )
}

interface TileProps {
  readonly name: string
  readonly value: number
  readonly to?: string
  /** The colour of a number that is not 0. */
  readonly tone?: string
}

function Tile({ name, value, to, tone = '' }: TileProps) {
  const text = <span class={`number ${value === 0 ? '' : tone}`}>{count(value)}</span>
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>{to === undefined ? text : <a href={to}>{text}</a>}</dd>
    </div>
  )
}
