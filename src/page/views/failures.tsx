import type { FailureJson, FailureListJson } from '../../admin/api-types.ts'
import { may, useApi } from '../api.ts'
import { link, usePlace, type Query } from '../link.ts'
import { ReplayButton } from '../replay/replay-button.tsx'
import { count, counted, visible } from '../text.ts'
import { Chip } from '../ui/chip.tsx'
import { CopyButton } from '../ui/copy.tsx'
import { Icon } from '../ui/icon.tsx'
import { Badge, Empty, Head, Loading } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

const refreshMs = 15_000

/** The deliveries that failed, grouped by handler and error. */
export function FailuresView() {
  const { query } = usePlace()
  const handler = query['handler'] ?? ''
  const params = new URLSearchParams(handler === '' ? {} : { handler })
  const loaded = useApi<FailureListJson>(`failures?${params.toString()}`, refreshMs)
  const { data, reload } = loaded
  return (
    <div class="view">
      <Head
        title="Failures"
        note="Deliveries that are dead or wait for a retry. Those of one handler with the same error are one group."
      />
      {handler !== '' && (
        <ul class="chips" aria-label="Filters">
          <Chip name="handler" value={handler} without={link(['failures'])} />
        </ul>
      )}
      <Loading {...loaded} rows={4} />
      {data?.failures.length === 0 && (
        <Empty icon="done" title="Nothing fails">
          <p>No delivery is dead, and none waits for a retry.</p>
        </Empty>
      )}
      <ul class="cards">
        {data?.failures.map((failure) => (
          <Group key={JSON.stringify([failure.handler, failure.error])} failure={failure} onChanged={reload} />
        ))}
      </ul>
      {data !== undefined && data.more > 0 && <p class="hint">{counted(data.more, 'smaller group')} not shown.</p>}
      {data?.isPartial === true && (
        <p class="hint">Only the failures of the newest events were read: there are more.</p>
      )}
    </div>
  )
}

function Group({ failure, onChanged }: { readonly failure: FailureJson; readonly onChanged: () => void }) {
  const { handler, error, dead, retrying, oldest, newest, example, alsoReplays, replay } = failure
  return (
    <li class="card">
      <div class="card-head">
        <h2>
          <a href={link(['failures'], { handler })} title="Only failures of this handler">
            {visible(handler)}
          </a>
        </h2>
        {dead > 0 && (
          <Badge tone="bad" icon="dead">
            {count(dead)} dead
          </Badge>
        )}
        {retrying > 0 && (
          <Badge tone="warn" icon="retry">
            {count(retrying)} to retry
          </Badge>
        )}
        <span class="card-note">
          {oldest !== newest && (
            <>
              since <When at={oldest} />,{' '}
            </>
          )}
          last <When at={newest} as="age" /> ago
        </span>
        <span class="card-actions">
          <a class="button" href={link(['events'], queryOf(failure))} title={alsoText(alsoReplays)}>
            <Icon name="events" />
            Events
          </a>
          {may('operate') && (
            <ReplayButton
              title={`Replay for ${visible(handler)}`}
              selection={{ filter: replay }}
              caution={
                alsoReplays === 0
                  ? undefined
                  : `Also replays ${counted(alsoReplays, 'other failure')} of this handler and time.`
              }
              onDone={onChanged}
            />
          )}
        </span>
      </div>
      <div class="error-box">
        <pre class="error-text">{visible(error)}</pre>
        <CopyButton text={error} what="error" />
      </div>
      <p class="card-note">
        The last one:{' '}
        <a href={link(['events', example.realm, example.id], queryOf(failure))}>
          <code>{visible(example.id)}</code>
        </a>
      </p>
    </li>
  )
}

function alsoText(alsoReplays: number): string {
  return alsoReplays === 0 ? 'Its events' : `Its events, and ${counted(alsoReplays, 'other failure')} of the same time`
}

/** The filter of the list of events that has the group. */
function queryOf({ replay: { id, realm, handler, state, since, until } }: FailureJson): Query {
  return { id, realm, handler, state, since: since ?? 'all', until }
}
