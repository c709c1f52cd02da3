import type { FastifyInstance } from 'fastify'

import { digitalRiver, type DeliverySummary, type AnyEvent, type Interest, type Rejection } from '../index.ts'
import { describePlan, syncWebhook } from '../programs.ts'
import { sampleEvent, whenSettled, type DigitalRiverSimulator, type DrivenClock } from '../testing/index.ts'
import { print, style, styled } from './output.ts'
import { counted, styleState, wrap } from './print.ts'
import { signedPost } from './signed-post.ts'

export interface Stage {
  readonly app: FastifyInstance
  readonly url: string
  readonly secret: string
  /** The handlers of the app. */
  readonly handlers: Interest
  /** The requests that the server refused, oldest first. */
  readonly rejections: readonly Rejection[]
  readonly simulator: DigitalRiverSimulator
  readonly clock: DrivenClock
}

/** The result of a step. */
export interface Shown {
  readonly lines: readonly (readonly [label: string, text: string])[]
  /** In the words of `Step.answer`. */
  readonly answer: string
  /** The event whose deliveries are shown. */
  readonly id?: string
}

export interface Step {
  readonly title: string
  readonly run: () => Promise<Shown>
  /** The expected result: the answer, and the final state of each delivery. */
  readonly answer: string
  readonly deliveries: Readonly<Record<string, string>>
}

const settleTimeoutMs = 30_000
const quarterHour = 900_000

/**
 * Carries out the steps, and prints what became of each.
 * @returns whether every step went as expected
 */
export async function show(app: FastifyInstance, all: readonly Step[]): Promise<boolean> {
  let good = 0
  for (const [index, step] of all.entries()) {
    print(styled`\n${style('bold', `${index + 1}. ${step.title}`)}`)
    if (await perform(app, step)) good += 1
  }
  print(styled`\n${style(good === all.length ? 'green' : 'red', `${good} of ${all.length} steps as expected`)}`)
  return good === all.length
}

/** The steps of the tour: the endpoint is registered, and events are sent. */
export function tour(stage: Stage): readonly Step[] {
  const order = sampleEvent('order.accepted')
  const capture = sampleEvent('order.charge.capture.failed')
  const renewal = sampleEvent('subscription.payment_failed')
  const forged = sampleEvent('order.accepted')
  const shipped = { 'ship-order': 'done, 1 attempt', audit: 'done, 1 attempt' }
  return [
    {
      title: 'The endpoint is registered with Digital River',
      run: () => register(stage),
      answer: 'created',
      deliveries: {}
    },
    {
      title: 'An event is accepted and handled',
      run: () => post(stage, 'order.accepted, signed', order),
      answer: '202 accepted',
      deliveries: shipped
    },
    {
      title: 'The same event is sent again',
      run: () => post(stage, 'the same id, a new signature', order),
      answer: '202 duplicate',
      deliveries: shipped
    },
    {
      title: 'A forged event is refused',
      run: () => post(stage, 'order.accepted, signed with another secret', forged, 'whk_of-somebody-else'),
      answer: '401',
      deliveries: {}
    },
    {
      title: 'A handler fails once and is retried',
      run: () => post(stage, 'order.charge.capture.failed, signed', capture),
      answer: '202 accepted',
      deliveries: { 'notify-customer': 'done, 2 attempts', audit: 'done, 1 attempt' }
    },
    {
      title: 'A handler gives up: a dead letter',
      run: () => post(stage, 'subscription.payment_failed, signed', renewal),
      answer: '202 accepted',
      deliveries: { 'renew-licence': 'dead, 1 attempt' }
    },
    {
      title: 'An answer is lost, and Digital River tries again',
      run: () => retry(stage),
      answer: 'lost, then 202',
      deliveries: shipped
    },
    {
      title: 'An event that never arrived is fetched',
      run: () => fetchBack(stage),
      answer: '1 recovered',
      deliveries: shipped
    }
  ]
}

async function perform(app: FastifyInstance, { run, answer: expected, deliveries }: Step): Promise<boolean> {
  const { lines, answer, id } = await run()
  const settled =
    id === undefined
      ? []
      : await whenSettled(app.riverhook.inbox, id, {
          deliveries: Object.keys(deliveries).length,
          timeoutMs: settleTimeoutMs
        })
  for (const [label, text] of lines) printFact(label, text)
  for (const { handler, state, attempts, lastError } of settled) {
    print(styled`   handler   ${handler}: ${styleState(state)}, ${counted(attempts, 'attempt')}`)
    if (lastError !== undefined) printFact('', `${state === 'done' ? 'failed first' : 'failed'}: ${lastError}`)
  }
  if (id !== undefined && settled.length === 0) print('   handler   none: it was not recorded')
  const found = Object.fromEntries(settled.map((delivery) => [delivery.handler, endOf(delivery)]))
  const differences = [
    ...(answer === expected ? [] : [`expected the answer ${expected}`]),
    ...Object.entries(deliveries)
      .filter(([handler, end]) => found[handler] !== end)
      .map(([handler, end]) => `expected ${handler}: ${end}`),
    ...Object.keys(found)
      .filter((handler) => !(handler in deliveries))
      .map((handler) => `${handler} ran unexpectedly`)
  ]
  print(
    differences.length === 0
      ? styled`   ${style('green', '✓')} as expected`
      : styled`   ${style('red', '✗')} ${differences.join('; ')}`
  )
  return differences.length === 0
}

/** Prints a fact of a step, broken between words on a terminal. */
function printFact(label: string, text: string): void {
  const indent = 13
  const shown = process.stdout.isTTY ? wrap(text, Math.max(20, process.stdout.columns - indent)) : text
  print(`   ${label.padEnd(indent - 3)}${shown.replaceAll('\n', `\n${' '.repeat(indent)}`)}`)
}

async function register({ url, handlers, simulator }: Stage): Promise<Shown> {
  const { result, plan } = await syncWebhook({
    address: url,
    handlers,
    source: digitalRiver(),
    apiKey: simulator.apiKey,
    apiUrl: simulator.url
  })
  const [first = '', ...rest] = describePlan(plan)
  const types = rest.filter((line) => line.startsWith('+ types '))
  const others = rest.filter((line) => !types.includes(line))
  const lines = [
    first,
    `+ types ${types.length}: ${types
      .slice(0, 3)
      .map((line) => line.slice('+ types '.length))
      .join(', ')} ...`,
    ...others
  ]
  return {
    answer: result,
    lines: [
      ...lines.map((line, index) => [index === 0 ? 'plan' : '', line] as const),
      ['answer', `the webhook is ${result}`]
    ]
  }
}

async function post(
  { url, secret, rejections }: Stage,
  what: string,
  event: Pick<AnyEvent, 'id'>,
  signWith = secret
): Promise<Shown> {
  const start = performance.now()
  const { status, text } = await signedPost(
    { url, source: digitalRiver() },
    { body: Buffer.from(JSON.stringify(event)), secret: signWith }
  )
  const { status: word } = JSON.parse(text) as { status?: string }
  const answer = word === undefined ? String(status) : `${status} ${word}`
  const why: [string, string][] = status === 401 ? [['log', rejections.at(-1)?.reason ?? 'nothing']] : []
  return {
    id: event.id,
    answer,
    lines: [['sent', what], ['answer', `${answer} after ${Math.round(performance.now() - start)} ms`], ...why]
  }
}

async function retry({ simulator, clock }: Stage): Promise<Shown> {
  const { id } = await simulator.emit('order.accepted', {}, 'cut-after-answer')
  await clock.advance(quarterHour)
  const seen = simulator.attempts.filter(({ eventId }) => eventId === id).map(({ status }) => status ?? 'lost')
  return {
    id,
    answer: seen.join(', then '),
    lines: [
      ['sent', 'order.accepted; the connection is cut before the answer arrives'],
      ['', 'sent again 15 minutes later, by the simulated clock'],
      ['answer', seen.join(', then ')]
    ]
  }
}

async function fetchBack({ app, simulator }: Stage): Promise<Shown> {
  const created = new Date(Date.now() - 1000).toISOString()
  const { id } = simulator.list('order.accepted', { createdTime: created })
  const { listed, arrived, recovered } = await app.riverhook.backfill({ since: new Date(Date.now() - 24 * 3_600_000) })
  return {
    id,
    answer: `${recovered} recovered`,
    lines: [
      ['sent', 'nothing: order.accepted happened while the endpoint was down'],
      ['backfill', `${listed} listed by Digital River: ${arrived} had arrived, ${recovered} recovered`]
    ]
  }
}

function endOf({ state, attempts }: DeliverySummary): string {
  return `${state}, ${counted(attempts, 'attempt')}`
}
