import { useSignal } from '@preact/signals'

import type {
  RegistrationJson,
  RegistrationListJson,
  RegistrationPlanJson,
  SyncBodyJson
} from '../../admin/api-types.ts'
import { useAct } from '../act.ts'
import { call, may, useApi } from '../api.ts'
import { counted, visible } from '../text.ts'
import { ActProblem } from '../ui/act-problem.tsx'
import { Command, Id } from '../ui/copy.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Badge, Empty, Head, Loading } from '../ui/pieces.tsx'
import { When } from '../ui/when.tsx'

/** The webhook of each endpoint at the provider. */
export function RegistrationView() {
  const loaded = useApi<RegistrationListJson>('registrations', 30_000)
  const { data, reload } = loaded
  return (
    <div class="view">
      <Head title="Registration" note="The webhooks at the providers, as they were last seen." />
      <Loading {...loaded} rows={3} />
      {data?.registrations.length === 0 && (
        <Empty icon="registration" title="No webhook is watched">
          <p>
            Give an endpoint <code>register</code>, and Riverhook keeps its webhook in sync with the handlers. To do it
            once, run:
          </p>
          <Command text="riverhook webhooks sync" />
        </Empty>
      )}
      <ul class="cards">
        {data?.registrations.map((registration) => (
          <Webhook key={registration.endpoint} registration={registration} onChanged={reload} />
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

function Webhook({
  registration,
  onChanged
}: {
  readonly registration: RegistrationJson
  readonly onChanged: () => void
}) {
  const { endpoint, address, state, webhookId, checkedAt, changes, lastError } = registration
  const { isBusy, problem, run } = useAct()
  const plan = useSignal<RegistrationPlanJson | undefined>(undefined)
  const { tone, icon, text } = states[state]
  const ask = async (): Promise<void> => {
    const body: SyncBodyJson = { endpoint, dryRun: true }
    plan.value = await run(() => call<RegistrationPlanJson>('registrations/sync', { method: 'POST', body }))
  }
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
        {may('operate') && (
          <span class="card-actions">
            <button type="button" class="button" disabled={isBusy.value} onClick={() => void ask()}>
              <Icon name="replay" />
              {isBusy.value ? 'Looking…' : 'Synchronise…'}
            </button>
          </span>
        )}
      </div>
      <p class="card-line">{visible(address)}</p>
      {webhookId !== undefined && <Id text={webhookId} what="webhook id" />}
      {lastError !== undefined && <pre class="error-text">{visible(lastError)}</pre>}
      <ActProblem text={problem.value} />
      {plan.value !== undefined && (
        <Sync
          endpoint={endpoint}
          plan={plan.value}
          onClose={(isDone) => {
            plan.value = undefined
            if (isDone) onChanged()
          }}
        />
      )}
    </li>
  )
}

const tones = { '+': 'good', '-': 'bad', '~': 'warn' } as const

/** Shows what a synchronisation will change, and then does it. */
function Sync({
  endpoint,
  plan,
  onClose
}: {
  readonly endpoint: string
  readonly plan: RegistrationPlanJson
  readonly onClose: (isDone: boolean) => void
}) {
  const { isBusy, problem, run } = useAct()
  const done = useSignal<RegistrationPlanJson | undefined>(undefined)
  const sync = async (): Promise<void> => {
    const body: SyncBodyJson = { endpoint }
    done.value = await run(() => call<RegistrationPlanJson>('registrations/sync', { method: 'POST', body }))
  }
  const close = (): void => {
    onClose(done.value !== undefined)
  }
  return (
    <Dialog
      title={`Synchronise ${visible(endpoint)}`}
      cancel={plan.lines.length === 0 || done.value !== undefined ? 'Close' : 'Cancel'}
      isBusy={isBusy.value}
      problem={problem.value}
      onClose={close}
      actions={
        plan.lines.length > 0 &&
        done.value === undefined && (
          <button type="button" class="button primary" disabled={isBusy.value} onClick={() => void sync()}>
            Make {counted(plan.lines.length, 'change')}
          </button>
        )
      }
    >
      <p>
        {plan.lines.length === 0
          ? 'The webhook at the provider is as the handlers need it. Nothing to change.'
          : `${plan.webhookId === undefined ? 'A webhook is created' : 'The webhook is changed'} at the provider:`}
      </p>
      {plan.lines.length > 0 && (
        <ul class="plan">
          {plan.lines.map(({ sign, field, text }) => (
            <li key={`${sign}${field}${text}`} class={`change-line ${tones[sign]}`}>
              <b>{sign}</b>
              <code>
                {visible(field)} {visible(text)}
              </code>
            </li>
          ))}
        </ul>
      )}
      {plan.unknown.length > 0 && (
        <p class="caution">No known event type matches {plan.unknown.map(visible).join(', ')}.</p>
      )}
      {plan.twins.length > 0 && (
        <p class="caution">
          Other webhooks have the same address, and are left as they are: {plan.twins.map(visible).join(', ')}.
        </p>
      )}
      {done.value !== undefined && (
        <p class="dialog-done" role="status">
          <Icon name="done" />
          The webhook is {done.value.result ?? 'unchanged'}.
        </p>
      )}
    </Dialog>
  )
}
