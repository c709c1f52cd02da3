import { useSignal } from '@preact/signals'

import type { EventDetailJson, PayloadJson } from '../../admin/api-types.ts'
import { apiPath } from '../api.ts'
import { link } from '../link.ts'
import { count, visible } from '../text.ts'
import { CopyButton } from '../ui/copy.tsx'
import { Icon } from '../ui/icon.tsx'
import { Segmented } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'
import { differences } from './diff.ts'
import { jsonText } from './json.ts'
import { Tree } from './tree.tsx'

type Tab = 'tree' | 'raw' | 'changes'

/** The payload as a tree, as text, and as changes since the event before. */
export function Payload({ event }: { readonly event: EventDetailJson }) {
  const { payload, previous } = event
  const tab = useSignal<Tab>('tree')
  const { value, encoding } = payload
  if (payload.hidden)
    return (
      <section class="part">
        <h2>Payload</h2>
        <p class="hint">{count(payload.bytes)} bytes, hidden: you have no scope to see personal data ("reveal").</p>
      </section>
    )
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
          <CopyButton text={text} what="payload" />
          <a
            class="copy"
            href={apiPath(`event/body?${new URLSearchParams({ realm: event.realm, id: event.id }).toString()}`)}
            download={`${event.id}.bin`}
            title="Download the exact bytes"
            aria-label="Download the exact bytes"
          >
            <Icon name="download" />
          </a>
        </span>
      </div>
      {shown === 'tree' && <Tree value={value} />}
      {shown === 'raw' && (
        <pre class="raw" tabIndex={0}>
          {visible(text)}
        </pre>
      )}
      {shown === 'changes' && previous !== undefined && <Changes payload={payload} previous={previous} />}
      {encoding === 'base64' && <p class="hint">The body is no text: this is its base64.</p>}
    </section>
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
