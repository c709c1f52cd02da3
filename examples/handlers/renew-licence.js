// A handler that gives up: a PermanentError makes the delivery a dead letter, which is logged, passed to `onDead`, and
// can be replayed.
import { defineHandler, PermanentError } from 'riverhook'

export default defineHandler('subscription.payment_failed', { name: 'renew-licence' }, () => {
  throw new PermanentError('the licence server does not know this subscription')
})
