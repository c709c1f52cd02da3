// A CommonJS host in TypeScript: compiled with the published types, never run.
import { defineHandler } from 'riverhook'
import { stripe } from 'riverhook/sources'

export const handlers = [
  defineHandler('order.accepted', (event) => {
    const type: 'order.accepted' = event.type
    return type
  }),
  defineHandler(stripe(), 'invoice.paid', ({ id }) => id)
]
