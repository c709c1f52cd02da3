import type { Test } from 'tap'

import type { Inbox } from '../../src/inbox/inbox.ts'
import { keyOf, keysOf, named, realm } from '../event-keys.ts'
import { arrival } from './arrivals.ts'
import { claim, leaseMs, settleAll, type Subject } from './contract.ts'
import { replayOfAll } from './contract-jobs.ts'

/** The contract of every engine after `close()`. */
export async function closedContract(t: Test, open: (t: Test) => Promise<Subject>): Promise<void> {
  t.test('a closed inbox refuses every call', async (t) => {
    const { inbox } = await open(t)
    await inbox.record([arrival('1', ['ship'])])
    const [held] = await claim(inbox, ['ship'])
    const detail = (await inbox.event(keyOf('1')))!
    await inbox.close()
    await inbox.close()
    const calls: Readonly<
      Record<Exclude<keyof Inbox, 'name' | 'role' | 'open' | 'close' | 'notes' | 'onDue'>, () => unknown>
    > = {
      servers: () => inbox.servers?.() ?? inbox.now(),
      record: () => inbox.record([arrival('2')]),
      recordAndClaim: () =>
        inbox.recordAndClaim?.([arrival('2')], { owner: 'me', leaseMs, wants: [], limit: 0 }) ?? inbox.now(),
      known: () => inbox.known(realm, ['1']),
      acknowledge: () => inbox.acknowledge([], true),
      now: () => inbox.now(),
      watermark: () => inbox.watermark(realm, 'mark'),
      watermarks: () => inbox.watermarks(),
      advance: () => inbox.advance(realm, 'mark', new Date(1)),
      flag: () => inbox.flag([]),
      drifts: () => inbox.drifts(),
      adopt: () => inbox.adopt([]),
      handlers: () => inbox.handlers(),
      pause: () => inbox.pause('ship'),
      resume: () => inbox.resume('ship'),
      pauses: () => inbox.pauses(),
      claim: () => claim(inbox, ['ship']),
      suspects: () => inbox.suspects(named('ship')),
      claimSuspects: () => inbox.claimSuspects({ owner: 'me', leaseMs, ids: [1], onLoss: 'loss' }),
      extend: () => inbox.extend([held!], leaseMs),
      transact: () => inbox.transact?.({ ...held!, startedAt: new Date() }, () => Promise.resolve()) ?? inbox.now(),
      settle: () => settleAll(inbox, [held!], { state: 'done' }),
      replay: () => inbox.replay([{ event: keyOf('1'), handler: 'ship' }]),
      signingKey: () => inbox.signingKey(),
      encryption: () => inbox.encryption(),
      saveEncryption: () => inbox.saveEncryption(undefined, '{}'),
      reseal: () => inbox.reseal([]),
      position: () => inbox.position(),
      addJob: () => inbox.addJob(replayOfAll),
      jobs: () => inbox.jobs({ limit: 1 }),
      job: () => inbox.job(1),
      stopJob: () => inbox.stopJob(1),
      claimJob: () => inbox.claimJob({ owner: 'me', leaseMs }),
      replayInJob: () => inbox.replayInJob({ id: 1, token: 1, leaseMs }, []),
      advanceJob: () => inbox.advanceJob({ id: 1, token: 1, leaseMs }, {}),
      endJob: () => inbox.endJob({ id: 1, token: 1, leaseMs }, { state: 'done' }),
      admit: () => inbox.admit([{ request: keyOf('q'), id: '2', type: 'a', deliveries: [] }]),
      events: () => inbox.events({ limit: 1 }),
      reindex: () => inbox.reindex([{ event: keyOf('1'), about: [] }]),
      event: () => inbox.event(keyOf('1')),
      restore: () => inbox.restore([detail]),
      remove: () => inbox.remove(keysOf('1')),
      erase: () => inbox.erase(keysOf('1')),
      scrub: () => inbox.scrub(),
      audit: () =>
        inbox.audit({ actor: { name: 'x', via: 'code' }, action: 'a', target: '1' }, { count: 0, outcome: '' }),
      failed: () => inbox.failed({ limit: 1 }),
      retries: () => inbox.retries(),
      audits: () => inbox.audits({ limit: 1 }),
      restoreAudits: () => inbox.restoreAudits([]),
      restoreTally: () => inbox.restoreTally([]),
      pruneAudits: () => inbox.pruneAudits({ before: new Date(1), limit: 1 }),
      stats: () => inbox.stats(),
      levels: () => inbox.levels(),
      lengths: () => inbox.lengths(),
      probe: () => inbox.probe(),
      tally: () => inbox.tally({ since: new Date(1), until: new Date(2), step: 'hour' }),
      countRequests: () => inbox.countRequests([]),
      holdAlarms: () => inbox.holdAlarms({ owner: 'me', leaseMs }),
      saveAlarms: () => inbox.saveAlarms({ token: 1, leaseMs, state: '{}' }),
      alarmState: () => inbox.alarmState(),
      acknowledgeAlarms: () => inbox.acknowledgeAlarms([], true),
      pruneTally: () => inbox.pruneTally({ deleteBefore: new Date(1), foldBefore: new Date(1), limit: 1 }),
      prune: () => inbox.prune({ before: new Date(1), limit: 1 })
    }
    for (const [name, call] of Object.entries(calls))
      await t.rejects(async () => call(), { code: 'RIVERHOOK_INBOX_CLOSED' }, name)
  })
}
