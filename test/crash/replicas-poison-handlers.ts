// Loaded by both replicas in the test of an event that kills the process of every attempt.
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

import { defineHandler } from 'riverhook'

export default [
  defineHandler('order.blocked', { name: 'poison', retry: { attempts: 1, base: 100 } }, () => process.abort()),
  // Long enough that the poison event interrupts some of its attempts.
  defineHandler('order.accepted', { name: 'good', retry: { attempts: 1, base: 100 } }, async (_event, { signal }) => {
    await Promise.race([delay(1_500), once(signal, 'abort')])
  })
]
