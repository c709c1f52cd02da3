import type { MismatchListJson } from '../../admin/api-types.ts'
import { useApi } from '../api.ts'
import { link } from '../link.ts'
import { count, visible } from '../text.ts'
import { Empty, Head, Problem, Scroll, Skeleton } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

/** The places where payloads differ from their schemas. */
export function MismatchesView() {
  const { data, error, reload } = useApi<MismatchListJson>('mismatches')
  return (
    <div class="view">
      <Head title="Mismatches" note="Places where payloads differ from their schema." />
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Skeleton />}
      {data?.mismatches.length === 0 && (
        <Empty icon="mismatches" title="Every payload matches its schema">
          <p>A place where one differs is listed here with an example.</p>
        </Empty>
      )}
      {data !== undefined && data.mismatches.length > 0 && (
        <Scroll label="Mismatches">
          <table class="table mismatches">
            <thead>
              <tr>
                <th scope="col">Type</th>
                <th scope="col">Place</th>
                <th scope="col">Rule</th>
                <th scope="col">Schema</th>
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
              {data.mismatches.map(({ realm, type, path, rule, handler, count: times, firstAt, lastAt, eventId }) => (
                <tr key={JSON.stringify([realm, type, path, rule, handler])}>
                  <td>
                    <a
                      data-row
                      href={link(['events', realm, eventId], { type, since: 'all' })}
                      title={`${visible(type)}: its last event`}
                    >
                      {visible(type)}
                    </a>
                  </td>
                  <td title={visible(path)}>
                    {path === '' ? <span class="none">the type itself</span> : <code>{visible(path)}</code>}
                  </td>
                  <td>{visible(rule)}</td>
                  <td>{handler === '' ? 'provider' : visible(handler)}</td>
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
    </div>
  )
}
