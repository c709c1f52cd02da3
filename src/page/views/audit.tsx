import type { AuditPageJson } from '../../admin/api-types.ts'
import { useApi } from '../api.ts'
import { link, usePlace } from '../link.ts'
import { count, visible } from '../text.ts'
import { Columns, Empty, Head, Loading, Older, Scroll } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

/** The acts of operators, commands and code, newest first. */
export function AuditView() {
  const { query } = usePlace()
  const params = new URLSearchParams({
    limit: '50',
    ...(query['after'] === undefined ? {} : { after: query['after'] })
  })
  const loaded = useApi<AuditPageJson>(`audit?${params.toString()}`)
  const { data } = loaded
  return (
    <div class="view">
      <Head title="Audit" note="Every action of an operator, a command or code." />
      <Loading {...loaded} />
      {data?.entries.length === 0 && (
        <Empty icon="audit" title="No entries yet">
          <p>A replay, a pause, a removal or a look at a payload is listed here, with who did it.</p>
        </Empty>
      )}
      {data !== undefined && data.entries.length > 0 && (
        <Scroll label="Audit">
          <table class="table">
            <Columns
              names={[
                ['At', 'c-time'],
                ['Who', 'c-time'],
                ['Via', 'c-short'],
                ['Action', 'c-name'],
                ['Target'],
                ['Count', 'numeric c-count'],
                ['Outcome', 'c-time']
              ]}
            />
            <tbody>
              {data.entries.map(({ seq, at, actor, via, peer, action, target, count: changed, outcome }) => (
                <tr key={seq}>
                  <td>
                    <When at={at} as="clock" />
                  </td>
                  <td title={peer === undefined ? undefined : `from ${visible(peer)}`}>{visible(actor)}</td>
                  <td>{via}</td>
                  <td>
                    <code>{visible(action)}</code>
                  </td>
                  <td title={visible(target)}>
                    <code>{visible(target)}</code>
                  </td>
                  <td class="numeric">{count(changed)}</td>
                  <td title={visible(outcome)}>{visible(outcome)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {data?.next !== undefined && (
        <nav class="pager" aria-label="Pages">
          <Older to={link(['audit'], { after: data.next })} />
        </nav>
      )}
    </div>
  )
}
