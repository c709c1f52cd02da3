// A handler that fails at first and recovers: every thrown error means "retry later".
import { defineHandler } from 'riverhook'

export default defineHandler(
  'order.charge.*',
  { name: 'notify-customer', retry: { attempts: 5, base: 200 } },
  async (event, { attempt, log }) => {
    if (attempt === 1) throw new Error('the mail server did not answer')
    log.info({ type: event.type }, 'customer notified')
  }
)
