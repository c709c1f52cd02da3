import t from 'tap'

import { startLimit, within, withLimit } from '../../src/model/time-limit.ts'

const never = new Promise<never>(() => undefined)
const late = (): Error => new Error('late')
/** Timers that keep this process alive. Risk: a process that does not end when its work is done. */
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

t.test('a promise in time is passed through, a late one rejects, and no timer is left', async (t) => {
  const before = timers()
  t.equal(await withLimit(60_000, Promise.resolve(5), late), 5)
  await t.rejects(withLimit(60_000, Promise.reject(new Error('own')), late), { message: 'own' })
  await t.rejects(withLimit(1, never, late), { message: 'late' })
  t.equal(await within(60_000, Promise.resolve()), true)
  t.equal(await within(1, never), false)
  await t.rejects(within(60_000, Promise.reject(new Error('own'))), { message: 'own' })
  t.equal(timers(), before)
})

t.test('a shared limit passes for all of its users, including later ones', async (t) => {
  const before = timers()
  const limit = startLimit(1, late)
  await t.rejects(limit.of(never), { message: 'late' })
  await t.rejects(limit.of(never), { message: 'late' })
  t.equal(await limit.of(Promise.resolve(5)), 5)
  limit.end()
  startLimit(60_000, late).end()
  t.equal(timers(), before)
})
