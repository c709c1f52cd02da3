import t from 'tap'

import { keysOf } from '../event-keys.ts'
import { arrival, quarantined } from '../inbox/arrivals.ts'
import { claim, settleAll } from '../inbox/contract.ts'
import { day, hour, only, open } from './alarm-rig.ts'

// Risk: an alarm about what is kept on purpose, or none about personal data that is kept too long.
t.test('retention: dead letters and quarantined requests have their own', async (t) => {
  const rig = await open(t)
  const watch = rig.watch({ skipped: only('retention') })
  const at = (days: number) => ({ receivedAt: new Date(rig.now - days * day), createdTime: undefined })
  const raisedBy = async (id: string): Promise<boolean> => {
    await rig.pass(2 * hour, [watch])
    const isRaised = watch.raised.length > 0
    await rig.inbox.remove(keysOf(id))
    await rig.pass(hour, [watch])
    return isRaised
  }
  const die = async (id: string, days: number, diedDays: number) => {
    await rig.inbox.record([arrival(id, ['erp'], at(days))])
    const died = new Date(rig.now - diedDays * day)
    await settleAll(rig.inbox, await claim(rig.inbox, ['erp']), { state: 'dead', error: 'x' }, died)
    return raisedBy(id)
  }
  t.notOk(await die('old', 170, 170))
  t.notOk(await die('died later', 200, 170))
  t.ok(await die('too old', 182, 182))
  await rig.inbox.record([{ ...quarantined('q'), ...at(170) }])
  t.notOk(await raisedBy('q'))
  await rig.inbox.record([{ ...quarantined('q'), ...at(182) }])
  t.ok(await raisedBy('q'))
  await rig.inbox.record([arrival('parked', ['gone'], at(200))])
  await rig.inbox.adopt([])
  t.notOk(await raisedBy('parked'))
})
