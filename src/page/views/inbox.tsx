import type { InboxJson, StatsJson } from '../../admin/api-types.ts'
import { useApi } from '../api.ts'
import { link } from '../link.ts'
import { count, visible } from '../text.ts'
import { Columns, Fact, Head, Loading, Problem, Scroll } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

/** The states of deliveries, with their words and colours here. */
const states = [
  ['dead', 'Dead deliveries', 'bad'],
  ['pending', 'Pending', 'info'],
  ['waiting', 'Waiting', ''],
  ['running', 'Running', ''],
  ['parked', 'Parked', ''],
  ['done', 'Done', '']
] as const

/** Counts of what the inbox holds, and the servers that use it. */
export function InboxView() {
  const loaded = useApi<InboxJson>('inbox', 10_000)
  const inbox = loaded.data
  const { data: stats, error } = useApi<StatsJson>('stats', 10_000)
  return (
    <div class="view">
      <Head title="Inbox" />
      <Loading {...loaded} rows={4} />
      {error !== undefined && <Problem error={error} />}
      {stats !== undefined && (
        <dl class="tiles">
          <Tile name="Events" value={stats.events} to={link(['events'], { since: 'all' })} />
          {states.map(([state, name, tone]) => (
            <Tile
              key={state}
              name={name}
              value={stats.deliveries[state]}
              to={link(['events'], { state, since: 'all' })}
              tone={tone}
            />
          ))}
          <Tile name="Quarantined" value={stats.quarantined} to={link(['quarantine'])} tone="warn" />
          <Tile name="Backfilled" value={stats.backfilled} />
          <Tile name="Duplicates" value={stats.duplicates} />
          <Tile name="Conflicts" value={stats.conflicts} tone="bad" />
        </dl>
      )}
      {stats !== undefined && <Refused lastDay={stats.lastDay} />}
      {inbox !== undefined && (
        <section class="part">
          <h2>Store</h2>
          <dl class="facts">
            <Fact name="Engine">{visible(inbox.engine)}</Fact>
            <Fact name="Riverhook">
              <span class="number">{visible(inbox.version)}</span>
            </Fact>
            <Fact name="Oldest event">
              {inbox.oldestEventAt === undefined ? 'none' : <When at={inbox.oldestEventAt} as="exact" />}
            </Fact>
            {stats !== undefined && (
              <Fact name="Overdue">
                {stats.oldestDueAt === undefined ? 'nothing' : <When at={stats.oldestDueAt} as="age" />}
              </Fact>
            )}
            <Fact name="Clock">
              <When at={inbox.now} as="exact" />
            </Fact>
            {inbox.servers !== undefined && (
              <Fact name="Servers">
                {inbox.servers.length === 0
                  ? 'none'
                  : inbox.servers.map((name) => <code key={name}>{visible(name)} </code>)}
              </Fact>
            )}
          </dl>
        </section>
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
          <table class="table">
            <Columns
              names={[
                ['Endpoint'],
                ['Code'],
                ['Count', 'numeric c-count'],
                ['First', 'numeric c-count'],
                ['Last', 'numeric c-count']
              ]}
            />
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
