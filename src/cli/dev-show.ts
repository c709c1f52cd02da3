import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { styleText } from 'node:util'

import { digitalRiver, type DeliverySummary, type Inbox, type Rejection } from '../index.ts'
import { acceptedOrder, failedCapture, makeEvent, unpaidSubscription } from './dev-events.ts'
import { print, styleState } from './print.ts'

export interface Stage {
  readonly url: string
  readonly secret: string
  readonly inbox: Inbox
  /** What the server has refused, oldest first. */
  readonly rejections: readonly Rejection[]
}

interface Sent {
  readonly what: string
  readonly id: string
  readonly answer: { readonly status: number; readonly text: string; readonly ms: number }
}

/** What is announced for a step: the answer, and how each delivery ends. */
interface Announced {
  readonly answer: string
  readonly deliveries: Readonly<Record<string, string>>
}

const settleTimeoutMs = 30_000

/** Sends real signed requests and prints what became of each. @returns whether every step went as announced */
export async function show(stage: Stage): Promise<boolean> {
  const order = makeEvent('order.accepted', acceptedOrder())
  const capture = makeEvent('order.charge.capture.failed', failedCapture())
  const renewal = makeEvent('subscription.payment_failed', unpaidSubscription())
  const forged = makeEvent('order.accepted', acceptedOrder())
  const shipped = { 'ship-order': 'done, 1 attempt', audit: 'done, 1 attempt' }
  const steps: [string, () => Promise<Sent>, Announced][] = [
    ['An event is accepted and handled', () => send(stage, 'order.accepted, signed', order), { answer: '202 accepted', deliveries: shipped }],
    ['The same event again, as after a lost answer', () => send(stage, 'the same id, a new signature', order), { answer: '202 duplicate', deliveries: shipped }],
    ['A forged event', () => send(stage, 'order.accepted, signed with another secret', forged, 'whk_of-somebody-else'), { answer: '401', deliveries: {} }],
    ['A handler that fails once and recovers', () => send(stage, 'order.charge.capture.failed, signed', capture), {
      answer: '202 accepted',
      deliveries: { 'notify-customer': 'done, 2 attempts', audit: 'done, 1 attempt' }
    }],
    ['A handler that gives up', () => send(stage, 'subscription.payment_failed, signed', renewal), { answer: '202 accepted', deliveries: { 'renew-licence': 'dead, 1 attempt' } }]
  ]
  let good = true
  for (const [index, [title, run, announced]] of steps.entries()) {
    print(`\n${styleText('bold', `${index + 1}. ${title}`)}`)
    good = (await step(stage, run, announced)) && good
  }
  return good
}

async function step(stage: Stage, run: () => Promise<Sent>, announced: Announced): Promise<boolean> {
  const sent = await run()
  const settled = await whenSettled(stage.inbox, sent.id, Object.keys(announced.deliveries))
  const answer = answerOf(sent)
  print(`   sent      ${sent.what}`)
  print(`   answer    ${answer} after ${sent.answer.ms} ms`)
  if (sent.answer.status === 401) print(`   log       ${stage.rejections.at(-1)?.reason ?? 'nothing'}`)
  const found = Object.fromEntries(settled.map((delivery) => [delivery.handler, endOf(delivery)]))
  for (const { handler, state, attempts, lastError } of settled) {
    const error = lastError === undefined ? '' : `; last error: ${lastError}`
    print(`   became    ${handler}: ${styleState(state)}, ${countOf(attempts)}${error}`)
  }
  if (settled.length === 0) print('   became    nothing: no handler saw it')
  const differences = [
    ...(answer === announced.answer ? [] : [`the answer was to be ${announced.answer}`]),
    ...Object.entries(announced.deliveries).filter(([handler, end]) => found[handler] !== end).map(([handler, end]) => `${handler} was to be ${end}`),
    ...Object.keys(found).filter((handler) => !(handler in announced.deliveries)).map((handler) => `${handler} was not to run`)
  ]
  print(differences.length === 0 ? `   ${styleText('green', '✓')} as announced` : `   ${styleText('red', '✗')} ${differences.join('; ')}`)
  return differences.length === 0
}

async function send({ url, secret }: Stage, what: string, { id, body }: { id: string; body: Buffer }, signWith = secret): Promise<Sent> {
  const start = performance.now()
  const response = await fetch(url, {
    method: 'POST',
    body: Uint8Array.from(body),
    headers: { 'content-type': 'application/json', ...digitalRiver().sign({ body, secret: signWith, at: new Date() }) }
  })
  const text = await response.text()
  return { what, id, answer: { status: response.status, text, ms: Math.round(performance.now() - start) } }
}

function answerOf({ answer: { status, text } }: Sent): string {
  const word = (JSON.parse(text) as { status?: string }).status
  return word === undefined ? String(status) : `${status} ${word}`
}

/** Waits until the event's deliveries have ended; what has not after half a minute is shown as it is then. */
async function whenSettled(inbox: Inbox, id: string, handlers: readonly string[]): Promise<readonly DeliverySummary[]> {
  const { promise: timeUp, resolve: giveUp } = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => { giveUp('late') }, settleTimeoutMs)
  let changed = Promise.withResolvers<'changed'>()
  const note = (): void => {
    changed.resolve('changed')
    changed = Promise.withResolvers()
  }
  subscribe('riverhook:settled', note)
  try {
    for (;;) {
      const next = changed.promise
      const deliveries = (await inbox.event(id))?.deliveries ?? []
      const ended = deliveries.filter(({ state }) => state === 'done' || state === 'dead')
      if (ended.length >= Math.max(handlers.length, deliveries.length)) return deliveries
      if ((await Promise.race([next, timeUp])) === 'late') return deliveries
    }
  } finally {
    clearTimeout(timer)
    unsubscribe('riverhook:settled', note)
  }
}

function endOf({ state, attempts }: DeliverySummary): string {
  return `${state}, ${countOf(attempts)}`
}

function countOf(attempts: number): string {
  return `${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`
}
