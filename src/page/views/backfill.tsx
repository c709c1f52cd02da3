import type { WatermarkListJson } from '../../admin/api-types.ts'
import { useApi } from '../api.ts'
import { visible } from '../text.ts'
import { Empty, Head, Problem, Scroll, Skeleton } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

/** How far the provider's list of events was read. */
export function BackfillView() {
  const { data, error, reload } = useApi<WatermarkListJson>('backfills')
  return (
    <div class="view">
      <Head
        title="Backfill"
        note="How far the list of events of each provider was read for events that never arrived."
      />
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Skeleton rows={3} />}
      {data?.watermarks.length === 0 && (
        <Empty icon="backfill" title="Nothing was fetched yet">
          <p>Give an endpoint an API key and backfill to have it done at intervals.</p>
        </Empty>
      )}
      {data !== undefined && data.watermarks.length > 0 && (
        <Scroll label="Backfill">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Realm</th>
                <th scope="col">Of</th>
                <th scope="col">Up to</th>
                <th scope="col" class="numeric">
                  Ago
                </th>
              </tr>
            </thead>
            <tbody>
              {data.watermarks.map(({ realm, name, at }) => (
                <tr key={`${realm} ${name}`}>
                  <td>{visible(realm)}</td>
                  <td>{visible(name)}</td>
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
    </div>
  )
}
