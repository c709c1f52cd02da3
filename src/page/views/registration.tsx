import type { RegistrationJson, RegistrationListJson } from '../../admin/api-types.ts'
import { useApi } from '../api.ts'
import { counted, visible } from '../text.ts'
import { Id } from '../ui/copy.tsx'
import { Badge, Empty, Head, Problem, Skeleton } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

/** The webhook of each endpoint at the provider. */
export function RegistrationView() {
  const { data, error, reload } = useApi<RegistrationListJson>('registrations', 30_000)
  return (
    <div class="view">
      <Head title="Registration" note="The webhooks at the providers, as they were last seen." />
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Skeleton rows={3} />}
      {data?.registrations.length === 0 && (
        <Empty icon="registration" title="No webhook is watched">
          <p>
            Give an endpoint <code>register</code>, and Riverhook keeps its webhook at the provider as the handlers need
            it.
          </p>
        </Empty>
      )}
      <ul class="cards">
        {data?.registrations.map((registration) => (
          <Webhook key={registration.endpoint} registration={registration} />
        ))}
      </ul>
    </div>
  )
}

const states = {
  in_sync: { tone: 'good', icon: 'done', text: 'in sync' },
  changed: { tone: 'bad', icon: 'failures', text: 'changed' },
  unknown: { tone: 'quiet', icon: 'pending', text: 'not seen yet' }
} as const

function Webhook({ registration }: { readonly registration: RegistrationJson }) {
  const { endpoint, address, state, webhookId, checkedAt, changes, lastError } = registration
  const { tone, icon, text } = states[state]
  return (
    <li class="card">
      <div class="card-head">
        <h2>
          <code>{visible(endpoint)}</code>
        </h2>
        <Badge tone={tone} icon={icon}>
          {text}
        </Badge>
        {checkedAt !== undefined && (
          <span class="card-note">
            seen <When at={checkedAt} as="age" /> ago
          </span>
        )}
        {changes > 0 && <span class="card-note">found changed {counted(changes, 'time')} since the start</span>}
      </div>
      <p class="card-line">{visible(address)}</p>
      {webhookId !== undefined && <Id text={webhookId} what="webhook id" />}
      {lastError !== undefined && <pre class="error-text">{visible(lastError)}</pre>}
    </li>
  )
}
