import t from 'tap'

import { startLimit, within, withLimit } from '../../src/model/time-limit.ts'

const never = new Promise<never>(() => undefined)
const late = (): Error => new Error('late')
/** Timers that keep this process alive. What a user would lose: a process that ends when its work has ended. */
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

t.test('a promise in time is given through, and one that is late is refused; no timer is left', async (t) => {
  const before = timers()
  t.equal(await withLimit(60_000, Promise.resolve(5), late), 5)
  await t.rejects(withLimit(60_000, Promise.reject(new Error('own')), late), { message: 'own' })
  await t.rejects(withLimit(1, never, late), { message: 'late' })
  t.equal(await within(60_000, Promise.resolve()), true)
  t.equal(await within(1, never), false)
  await t.rejects(within(60_000, Promise.reject(new Error('own'))), { message: 'own' })
  t.equal(timers(), before)
})

t.test('a limit that several share passes for all of them, also for who asks later', async (t) => {
  const before = timers()
  const limit = startLimit(1, late)
  await t.rejects(limit.of(never), { message: 'late' })
  await t.rejects(limit.of(never), { message: 'late' })
  t.equal(await limit.of(Promise.resolve(5)), 5)
  limit.end()
  startLimit(60_000, late).end()
  t.equal(timers(), before)
})
