// A handler that goes well. order.accepted is Digital River's signal to fulfil an order.
import { defineHandler, PermanentError } from 'riverhook'

export default defineHandler(
  'order.accepted',
  {
    name: 'ship-order',
    // The events of one order are handled one at a time, in the order in which they arrived.
    orderBy: (event) => event.data.object.id
  },
  async (event, { log, idempotencyKey }) => {
    const { id } = event.data.object
    // Nothing that is tried again would bring the id: say so, and it is a dead letter at once.
    if (id === undefined) throw new PermanentError('the order has no id')
    // Hand the key to the warehouse, so that a repeated attempt does not ship twice.
    log.info({ order: id, idempotencyKey }, 'ship it')
  }
)
