import type { EventDetailJson } from '../../admin/api-types.ts'
import { counted, visible } from '../text.ts'
import { length } from '../time.ts'
import { Fact } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

/** How it came in, and why it was believed. */
export function Receipt({ event }: { readonly event: EventDetailJson }) {
  const { receipt, payload } = event
  return (
    <section class="part">
      <h2>Receipt</h2>
      <dl class="facts">
        <Fact name="Provider">{visible(event.source)}</Fact>
        <Fact name="Endpoint">
          <code>{visible(event.endpoint)}</code>
        </Fact>
        {event.realm !== event.source && <Fact name="Realm">{visible(event.realm)}</Fact>}
        {event.createdTime !== undefined && <Fact name="Created">{visible(event.createdTime)}</Fact>}
        <Fact name="Checked">
          {receipt.checks.length === 0
            ? event.backfilled
              ? 'fetched from the API'
              : 'nothing'
            : receipt.checks.map(visible).join(', ')}
        </Fact>
        {receipt.secret !== undefined && <Fact name="Secret">number {receipt.secret} of the list</Fact>}
        {receipt.signedAt !== undefined && (
          <Fact name="Signed">
            <When at={receipt.signedAt} as="exact" />
          </Fact>
        )}
        {receipt.skewMs !== undefined && <Fact name="Clock">{skewText(receipt.skewMs)}</Fact>}
        {event.traceId !== undefined && (
          <Fact name="Trace">
            {event.traceUrl === undefined ? event.traceId : <a href={event.traceUrl}>{event.traceId}</a>}
          </Fact>
        )}
        <Fact name="Size">{counted(payload.bytes, 'byte')}</Fact>
        {Object.entries(payload.headers ?? {}).map(([name, value]) => (
          <Fact key={name} name={visible(name)}>
            <code>{visible(value)}</code>
          </Fact>
        ))}
      </dl>
    </section>
  )
}

function skewText(ms: number): string {
  return Math.abs(ms) < 1_000
    ? 'in step with the provider'
    : `${length(Math.abs(ms))} ${ms > 0 ? 'after' : 'before'} the signed time`
}
