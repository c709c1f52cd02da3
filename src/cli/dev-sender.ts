import { defineHandler, PermanentError, type HandlerDefinition, type Source } from '../index.ts'
import { createClock, createSimulator, type ScenarioName, type Simulator } from '../testing/index.ts'
import type { Shown, Step } from './dev-show.ts'

/** The behaviour of the example handler for the events that it is given now. */
type Mood = 'works' | 'fails once' | 'gives up'

/** The show for a source that is not the default one: its handlers, and the events that they are sent. */
export interface SenderShow {
  readonly handlers: readonly HandlerDefinition[]
  /** @param address the URL of the endpoint */
  steps(address: string, secret: string): readonly Step[]
}

const quarterHour = 900_000

/** Prepares the show. Its handlers have no effect beside the log, so the user's own are not run with samples. */
export function showOf(source: Source): SenderShow {
  let mood: Mood = 'works'
  const audit = defineHandler(source, '*', { name: 'audit' }, ({ type }, { log }) => {
    log.info({ type }, 'seen')
  })
  const example = defineHandler(source, '*', { name: 'example', retry: { base: 200 } }, (_event, { attempt }) => {
    if (mood === 'fails once' && attempt === 1) throw new Error('the mail server did not answer')
    if (mood === 'gives up') throw new PermanentError('the licence server does not know this customer')
  })
  return {
    handlers: [audit, example],
    steps(address, secret) {
      // The show moves this clock, so that a retry after a quarter of an hour takes no time.
      const clock = createClock()
      const simulator = createSimulator({ source, address, secret, clock })
      const step = (
        title: string,
        answer: string,
        end: string,
        scenario?: ScenarioName,
        how: Mood = 'works'
      ): Step => ({
        title,
        answer,
        deliveries: { audit: 'done, 1 attempt', example: end },
        async run() {
          mood = how
          const shown = await send(simulator, scenario)
          await clock.advance(quarterHour)
          return withAnswers(simulator, shown)
        }
      })
      return [
        step('An event is accepted and handled', '202', 'done, 1 attempt'),
        step('The same event is sent twice', '202, then 202', 'done, 1 attempt', 'duplicate'),
        step(
          'A forged event is refused, and the real one accepted',
          '401, then 202',
          'done, 1 attempt',
          'wrong-secret'
        ),
        step('A handler fails once and is retried', '202', 'done, 2 attempts', 'normal', 'fails once'),
        step('A handler gives up: a dead letter', '202', 'dead, 1 attempt', 'normal', 'gives up'),
        step('An answer is lost, and the provider tries again', 'lost, then 202', 'done, 1 attempt', 'cut-after-answer')
      ]
    }
  }
}

async function send(
  simulator: Simulator,
  scenario: ScenarioName = 'normal'
): Promise<{ readonly id: string; readonly sent: string }> {
  const { id, type } = await simulator.emit(undefined, {}, scenario)
  return { id, sent: scenario === 'normal' ? `${type}, signed` : `${type}: ${scenario}` }
}

function withAnswers({ attempts }: Simulator, { id, sent }: { readonly id: string; readonly sent: string }): Shown {
  const answer = attempts
    .filter(({ eventId }) => eventId === id)
    .map(({ status }) => status ?? 'lost')
    .join(', then ')
  return {
    id,
    answer,
    lines: [
      ['sent', sent],
      ['answer', answer]
    ]
  }
}
