// Loaded by the real server in the crash test. Every run is written to a file before the handler returns, so that the
// test sees it even if the process is killed afterwards.
import { appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

import { defineHandler, resourceIdOf, type HandlerContext } from 'riverhook'

const file = process.env['CRASH_TEST_RUNS'] ?? ''

function note({ event, delivery, attempt }: HandlerContext, what: string): void {
  appendFileSync(file, `${delivery.handler} ${event.id} ${attempt} ${what}\n`)
}

export default [
  defineHandler('*', { name: 'plain' }, (_event, context) => {
    note(context, 'ran')
  }),
  defineHandler('order.*', { name: 'slow' }, async (_event, context) => {
    await delay(5)
    note(context, 'ran')
  }),
  defineHandler('order.*', { name: 'flaky', retry: { attempts: 100, base: 10, factor: 1 } }, (event, context) => {
    if (context.attempt === 1) throw new Error('not yet')
    note(context, event.type)
  }),
  defineHandler('*', { name: 'ordered', orderBy: resourceIdOf }, async (_event, context) => {
    note(context, 'began')
    await delay(1)
    note(context, 'ran')
  })
]
