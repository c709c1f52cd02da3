import { useSignal } from '@preact/signals'

import type { AttemptJson, DeliveryDetailJson, EventDetailJson } from '../../admin/api-types.ts'
import { may } from '../api.ts'
import { link } from '../link.ts'
import { counted, visible } from '../text.ts'
import { length } from '../time.ts'
import { CopyButton } from '../ui/copy.tsx'
import { DialogButton } from '../ui/dialog-button.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import type { Tone } from '../ui/pieces.tsx'
import { byUrgency, StateBadge } from '../ui/state.tsx'
import { When } from '../ui/when.tsx'
import { Replay } from './replay.tsx'

/** The deliveries of the event: those that need a person first. */
export function Deliveries({ event, onChanged }: { readonly event: EventDetailJson; readonly onChanged: () => void }) {
  if (event.deliveries.length === 0)
    return (
      <section class="part">
        <h2>Deliveries</h2>
        <p class="hint">No handler took this event. Add one, then replay the event for it.</p>
      </section>
    )
  return (
    <section class="part">
      <h2>Deliveries</h2>
      <ul class="deliveries">
        {byUrgency(event.deliveries).map((delivery) => (
          <Delivery key={delivery.id} event={event} delivery={delivery} onChanged={onChanged} />
        ))}
      </ul>
    </section>
  )
}

interface DeliveryProps {
  readonly event: EventDetailJson
  readonly delivery: DeliveryDetailJson
  readonly onChanged: () => void
}

function Delivery({ event, delivery, onChanged }: DeliveryProps) {
  const { handler, attempts, attemptLog, lastError, dueAt, owner, orderKey, state } = delivery
  return (
    <li class={`delivery ${state}`}>
      <div class="delivery-head">
        <h3>
          <a href={link(['events'], { handler, since: 'all' })} title="All events of this handler">
            {visible(handler)}
          </a>
        </h3>
        <StateBadge delivery={delivery} />
        <span class="delivery-note number">{counted(attempts, 'attempt')}</span>
        {state === 'pending' && dueAt !== undefined && (
          <span class="delivery-note">
            next <When at={dueAt} as="age" />
          </span>
        )}
        {state === 'running' && owner !== undefined && <span class="delivery-note">in {visible(owner)}</span>}
        {may('operate') && state !== 'running' && (
          <DialogButton
            icon="replay"
            label={`Replay for ${visible(handler)}`}
            hint={`Replay for ${visible(handler)}`}
            isIcon
            look="ghost delivery-replay"
            onDone={onChanged}
            dialog={(onClose) => <Replay event={event} only={handler} onClose={onClose} />}
          />
        )}
      </div>
      {lastError !== undefined && (
        <div class="error-box">
          <pre class="error-text">{visible(lastError)}</pre>
          <CopyButton text={lastError} what="error" />
        </div>
      )}
      {orderKey !== undefined && (
        <p class="hint">
          order key <code>{visible(orderKey)}</code>
        </p>
      )}
      {attemptLog.length > 0 && <Attempts log={attemptLog} lastError={lastError} />}
    </li>
  )
}

const marks: Readonly<
  Record<AttemptJson['state'], { readonly icon: IconName; readonly tone: Tone; readonly text: string }>
> = {
  done: { icon: 'done', tone: 'good', text: 'succeeded' },
  retry: { icon: 'retry', tone: 'warn', text: 'failed' },
  dead: { icon: 'dead', tone: 'bad', text: 'failed, gave up' },
  lost: { icon: 'failures', tone: 'warn', text: 'lost: its process died or stalled' },
  released: { icon: 'waiting', tone: 'quiet', text: 'handed back' },
  parked: { icon: 'parked', tone: 'quiet', text: 'parked' },
  replayed: { icon: 'replay', tone: 'info', text: 'replayed' }
}

/** Beyond these, the older attempts are folded. */
const shownAttempts = 5

/** The attempts, newest first: when, how long, and how they ended. */
function Attempts({
  log,
  lastError
}: {
  readonly log: readonly AttemptJson[]
  readonly lastError: string | undefined
}) {
  const isWhole = useSignal(false)
  const newest = [...log].reverse()
  const shown = isWhole.value ? newest : newest.slice(0, shownAttempts)
  const longest = Math.max(1, ...log.map(lengthOf))
  return (
    <>
      <ol class="attempts" reversed>
        {shown.map((attempt, index) => {
          const { icon, tone, text } = marks[attempt.state]
          const isReplay = attempt.state === 'replayed'
          return (
            <li key={newest.length - index} class={tone}>
              <Icon name={icon} />
              <When at={attempt.startedAt} as="clock" />
              <span class="attempt-text">
                {isReplay ? text : `attempt ${attempt.attempt} ${text}`}
                {attempt.error !== undefined && attempt.error !== lastError && (
                  <code class="attempt-error" title={visible(attempt.error)}>
                    {visible(attempt.error)}
                  </code>
                )}
              </span>
              {!isReplay && (
                <span class="attempt-length number" title={`Took ${length(lengthOf(attempt))}`}>
                  <i style={{ width: `${Math.max(3, (lengthOf(attempt) / longest) * 40)}px` }} />
                  {length(lengthOf(attempt))}
                </span>
              )}
            </li>
          )
        })}
      </ol>
      {newest.length > shown.length && (
        <button
          type="button"
          class="link"
          onClick={() => {
            isWhole.value = true
          }}
        >
          {counted(newest.length - shown.length, 'earlier attempt')}
        </button>
      )}
    </>
  )
}

function lengthOf({ startedAt, endedAt }: AttemptJson): number {
  return Math.max(0, new Date(endedAt).getTime() - new Date(startedAt).getTime())
}
