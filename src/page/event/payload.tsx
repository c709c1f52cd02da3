import { useSignal } from '@preact/signals'

import type { EventDetailJson, PayloadJson } from '../../admin/api-types.ts'
import { useAct } from '../act.ts'
import { apiPath, call, may } from '../api.ts'
import { link } from '../link.ts'
import { counted, visible } from '../text.ts'
import { ActProblem } from '../ui/act-problem.tsx'
import { CopyButton } from '../ui/copy.tsx'
import { Icon } from '../ui/icon.tsx'
import { Segmented } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'
import { differences } from './diff.ts'
import { jsonText } from './json.ts'
import { markText, toMarks } from './marks.ts'
import { Tree } from './tree.tsx'

type Tab = 'tree' | 'raw' | 'changes'

interface PayloadProps {
  readonly event: EventDetailJson
  /** Takes the event with its personal data. */
  readonly onRevealed: (event: EventDetailJson) => void
}

/** The payload as a tree, as text, and as changes since the event before. */
export function Payload({ event, onRevealed }: PayloadProps) {
  const { payload, previous, mismatches = [] } = event
  const tab = useSignal<Tab>('tree')
  const { value, encoding, masked } = payload
  const query = new URLSearchParams({ realm: event.realm, id: event.id }).toString()
  const { isBusy, problem, run } = useAct()
  const reveal = async (): Promise<void> => {
    const whole = await run(() => call<EventDetailJson>(`event?${query}&compare=previous&reveal=true`))
    if (whole !== undefined) onRevealed(whole)
  }
  const isJson = encoding === 'json'
  const text = isJson ? jsonText(value) : typeof value === 'string' ? value : ''
  const shown = isJson ? tab.value : 'raw'
  return (
    <section class="part">
      <div class="part-head">
        <h2>Payload</h2>
        {isJson && (
          <Segmented<Tab>
            label="Payload as"
            value={shown}
            choices={[
              { value: 'tree', label: 'Tree' },
              { value: 'raw', label: 'Raw' },
              ...(previous === undefined ? [] : [{ value: 'changes', label: 'Changes' } as const])
            ]}
            onChange={(value) => {
              tab.value = value
            }}
          />
        )}
        <span class="part-actions">
          {masked && may('reveal') && (
            <button
              type="button"
              class="link"
              title="Show personal data. The audit log records it"
              disabled={isBusy.value}
              onClick={() => void reveal()}
            >
              Reveal
            </button>
          )}
          {encoding !== undefined && <CopyButton text={text} what="payload" />}
          {!masked && (
            <a
              class="copy"
              href={apiPath(`event/body?${query}`)}
              download={`${event.id}.bin`}
              title="Download the exact bytes"
              aria-label="Download the exact bytes"
            >
              <Icon name="download" />
            </a>
          )}
        </span>
      </div>
      <ActProblem text={problem.value} />
      <Disagreements event={event} />
      {shown === 'tree' && <Tree value={value} marks={toMarks(mismatches)} />}
      {encoding === undefined && <p class="hint">{counted(payload.bytes, 'byte')}, masked.</p>}
      {shown === 'raw' && encoding !== undefined && (
        <pre class="raw" tabIndex={0}>
          {visible(text)}
        </pre>
      )}
      {shown === 'changes' && previous !== undefined && <Changes payload={payload} previous={previous} />}
      {encoding === 'base64' && <p class="hint">The body is not text. Shown as Base64.</p>}
    </section>
  )
}

/** The most places that are named. The tree marks them all. */
const namedPlaces = 8

/** Where the payload differs from its schema: the places, without a value. */
function Disagreements({ event: { mismatches = [] } }: { readonly event: EventDetailJson }) {
  if (mismatches.length === 0) return null
  const unnamed = mismatches.length - namedPlaces
  return (
    <div class="caution disagreements">
      <Icon name="mismatches" />
      <div>
        <p>
          {counted(mismatches.length, 'place')} {mismatches.length === 1 ? 'differs' : 'differ'} from the schema.{' '}
          <a href={link(['mismatches'])}>All mismatches</a>
        </p>
        <ul>
          {mismatches.slice(0, namedPlaces).map((mismatch) => (
            <li key={JSON.stringify(mismatch)}>
              {mismatch.path !== '' && <code>{visible(mismatch.path)}</code>} {visible(markText(mismatch))}
              {mismatch.handler !== '' && ` (schema of ${visible(mismatch.handler)})`}
            </li>
          ))}
          {unnamed > 0 && <li>and {counted(unnamed, 'other')}</li>}
        </ul>
      </div>
    </div>
  )
}

function Changes({
  payload,
  previous
}: {
  readonly payload: PayloadJson
  readonly previous: NonNullable<EventDetailJson['previous']>
}) {
  const changes = differences(previous.payload.value, payload.value)
  return (
    <>
      <p class="hint">
        Since{' '}
        <a href={link(['events', previous.realm, previous.id])}>
          {visible(previous.type)} of <When at={previous.receivedAt} />
        </a>
        {changes.length === 0 && ': nothing changed.'}
      </p>
      <ul class="changes">
        {changes.map(({ path, before, after }) => (
          <li key={path}>
            <code class="change-path">{visible(path)}</code>
            {before !== undefined && (
              <span class="change-line bad">
                <b aria-label="before">−</b>
                <code>{visible(before)}</code>
              </span>
            )}
            {after !== undefined && (
              <span class="change-line good">
                <b aria-label="after">+</b>
                <code>{visible(after)}</code>
              </span>
            )}
          </li>
        ))}
      </ul>
    </>
  )
}
