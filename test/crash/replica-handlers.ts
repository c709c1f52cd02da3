// Loaded by both replicas in the crash test with PostgreSQL. The effect of a handler is a row in the same database,
// written in the transaction that settles its delivery.
import { setTimeout as delay } from 'node:timers/promises'

import { defineHandler, resourceIdOf, type Event } from 'riverhook'

const book = 'INSERT INTO effect (handler, event_id, order_key, amount, beside) VALUES ($1, $2, $3, $4, $5)'

const amountOf = (event: Event): unknown => (event.data.object as { readonly amount?: unknown }).amount

export default [
  defineHandler('*', { name: 'effect' }, (event, { transaction }) =>
    transaction(async (tx) => {
      await tx.query(book, ['effect', event.id, null, amountOf(event), false])
      await delay(3)
    })
  ),
  defineHandler(
    '*',
    { name: 'flaky', retry: { attempts: 100, base: 10, factor: 1 } },
    (event, { transaction, attempt }) =>
      transaction(async (tx) => {
        await tx.query(book, ['flaky', event.id, null, amountOf(event), false])
        if (attempt === 1) throw new Error('not yet')
      })
  ),
  defineHandler('*', { name: 'ordered', orderBy: resourceIdOf }, (event, { transaction }) =>
    transaction(async (tx) => {
      const key = resourceIdOf(event)
      // Held to the end of the transaction. If it is already locked, another delivery of the same key is running.
      const { rows } = await tx.query<{ free: boolean }>('SELECT pg_try_advisory_xact_lock(hashtext($1)) AS free', [
        key
      ])
      await tx.query(book, ['ordered', event.id, key, amountOf(event), rows[0]?.free !== true])
      await delay(1)
    })
  )
]
