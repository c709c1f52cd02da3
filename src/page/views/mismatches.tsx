import type { MismatchJson, MismatchKindJson, MismatchListJson } from '../../admin/api-types.ts'
import { useAct } from '../act.ts'
import { call, may, useApi } from '../api.ts'
import { link } from '../link.ts'
import { count, visible } from '../text.ts'
import { ActProblem } from '../ui/act-problem.tsx'
import { Icon } from '../ui/icon.tsx'
import { Columns, Empty, Head, Loading, Scroll } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

/** The places where payloads differ from their schemas. */
export function MismatchesView() {
  const loaded = useApi<MismatchListJson>('mismatches')
  const { data, reload } = loaded
  return (
    <div class="view">
      <Head title="Mismatches" note="Places where payloads differ from their schema." />
      <Loading {...loaded} />
      {data?.mismatches.length === 0 && (
        <Empty icon="mismatches" title="Every payload matches its schema">
          <p>A place where one differs is listed here with an example.</p>
        </Empty>
      )}
      {data !== undefined && data.mismatches.length > 0 && (
        <Scroll label="Mismatches">
          <table class="table tall">
            <Columns
              names={[
                ['Type and place'],
                ['Rule', 'c-time'],
                ['Schema', 'c-time'],
                ['Count', 'numeric c-count'],
                ['First', 'numeric c-count'],
                ['Last', 'numeric c-count'],
                ['Acknowledge', 'c-act']
              ]}
            />
            <tbody>
              {data.mismatches
                .toSorted((one, other) => isMarked(one) - isMarked(other))
                .map((one) => (
                  <Row key={JSON.stringify(kindOf(one))} mismatch={one} onChanged={reload} />
                ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </div>
  )
}

const isMarked = ({ acknowledgedAt }: MismatchJson): number => Number(acknowledgedAt !== undefined)

const kindOf = ({ realm, type, path, rule, handler }: MismatchJson): MismatchKindJson => ({
  realm,
  type,
  path,
  rule,
  handler
})

function Row({ mismatch, onChanged }: { readonly mismatch: MismatchJson; readonly onChanged: () => void }) {
  const { realm, type, path, rule, handler, count: times, firstAt, lastAt, eventId, acknowledgedAt } = mismatch
  const { isBusy, problem, run } = useAct()
  const mark = async (): Promise<void> => {
    const kind = kindOf(mismatch)
    const at = 'mismatches/acknowledged'
    await (acknowledgedAt === undefined
      ? call(at, { method: 'PUT', body: kind })
      : call(`${at}?${new URLSearchParams({ ...kind }).toString()}`, { method: 'DELETE' }))
    onChanged()
  }
  return (
    <tr class={acknowledgedAt === undefined ? '' : 'past'}>
      <td>
        <a
          data-row
          href={link(['events', realm, eventId], { type, since: 'all' })}
          title={`${visible(type)}: its last event`}
        >
          {visible(type)}
        </a>
        <span class="sub cut" title={visible(path)}>
          {path === '' ? 'the type itself' : <code>{visible(path)}</code>}
        </span>
      </td>
      <td title={visible(rule)}>{visible(rule)}</td>
      <td>{handler === '' ? 'provider' : visible(handler)}</td>
      <td class="numeric">{count(times)}</td>
      <td class="numeric">
        <When at={firstAt} as="age" />
      </td>
      <td class="numeric">
        <When at={lastAt} as="age" />
      </td>
      <td class="c-act">
        {may('operate') && (
          <button type="button" class="button" disabled={isBusy.value} onClick={() => void run(mark)}>
            <Icon name={acknowledgedAt === undefined ? 'check' : 'replay'} />
            {acknowledgedAt === undefined ? 'Acknowledge' : 'Reopen'}
          </button>
        )}
        <ActProblem text={problem.value} />
      </td>
    </tr>
  )
}
