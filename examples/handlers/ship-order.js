// A handler that succeeds. order.accepted is Digital River's signal to fulfil an order.
import { defineHandler, PermanentError } from 'riverhook'

export default defineHandler(
  'order.accepted',
  {
    name: 'ship-order',
    // The events of one order are handled one at a time, in order of arrival.
    orderBy: (event) => event.data.object.id
  },
  async (event, { log, idempotencyKey }) => {
    const { id } = event.data.object
    // No retry can help: a PermanentError makes the delivery a dead letter at once.
    if (id === undefined) throw new PermanentError('the order has no id')
    // Pass the key to the warehouse, so that a repeated attempt does not ship twice.
    log.info({ order: id, idempotencyKey }, 'ship it')
  }
)
