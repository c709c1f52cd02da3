import type { DeliveryJson } from '../../admin/api-types.ts'
import { now, span } from '../time.ts'
import { counted, visible } from '../text.ts'
import { Icon, type IconName } from './icon.tsx'
import type { Tone } from './pieces.tsx'

interface Look {
  readonly word: string
  readonly icon: IconName
  readonly tone: Tone
}

const looks = {
  done: { word: 'done', icon: 'done', tone: 'good' },
  dead: { word: 'dead', icon: 'dead', tone: 'bad' },
  retry: { word: 'retry', icon: 'retry', tone: 'warn' },
  pending: { word: 'pending', icon: 'pending', tone: 'info' },
  waiting: { word: 'waiting', icon: 'waiting', tone: 'quiet' },
  running: { word: 'running', icon: 'running', tone: 'info' },
  parked: { word: 'parked', icon: 'parked', tone: 'quiet' }
} satisfies Record<string, Look>

/** How a delivery's state looks. One that failed and is to run again is a retry, which is not a separate state. */
export function lookOf({ state, attempts }: Pick<DeliveryJson, 'state' | 'attempts'>): Look {
  return state === 'pending' && attempts > 0 ? looks.retry : looks[state]
}

const meanings: Readonly<Record<string, string>> = {
  done: 'the handler succeeded',
  dead: 'its attempts are used up, or its handler gave up: replay it',
  retry: 'an attempt failed, and the next one is due later',
  pending: 'due now or at a later time',
  waiting: 'an earlier event with the same order key is not finished',
  running: 'a process runs its handler now',
  parked: 'its handler is not in the code'
}

/** A delivery's handler and state on one line: shape, word and colour. A done one needs no word beside its mark. */
export function DeliveryPill({ delivery }: { readonly delivery: DeliveryJson }) {
  const { word, icon, tone } = lookOf(delivery)
  const due = word === 'retry' && delivery.dueAt !== undefined ? ` ${dueIn(delivery.dueAt)}` : ''
  const title = [
    `${visible(delivery.handler)}: ${word} after ${counted(delivery.attempts, 'attempt')}${due}. ${meanings[word] ?? ''}`,
    ...(delivery.lastError === undefined ? [] : [visible(delivery.lastError)])
  ].join('\n')
  return (
    <span class={`pill ${tone}`} title={title}>
      <Icon name={icon} />
      <span class="pill-name">{visible(delivery.handler)}</span>
      <span class={word === 'done' ? 'sr' : 'pill-word'}>{word}</span>
    </span>
  )
}

/** The state alone. */
export function StateBadge({ delivery }: { readonly delivery: Pick<DeliveryJson, 'state' | 'attempts'> }) {
  const { word, icon, tone } = lookOf(delivery)
  return (
    <span class={`badge ${tone}`} title={meanings[word]}>
      <Icon name={icon} />
      {word}
    </span>
  )
}

export function dueIn(at: string): string {
  const ms = new Date(at).getTime() - now.value
  return ms <= 0 ? 'now' : `in ${span(ms)}`
}

const urgency = ['bad', 'warn', 'info', 'quiet', 'good']

/** Sorts deliveries: those that need a person first. */
export function byUrgency<Delivery extends Pick<DeliveryJson, 'state' | 'attempts' | 'handler'>>(
  deliveries: readonly Delivery[]
): Delivery[] {
  return [...deliveries].sort(
    (a, b) => urgency.indexOf(lookOf(a).tone) - urgency.indexOf(lookOf(b).tone) || (a.handler < b.handler ? -1 : 1)
  )
}
