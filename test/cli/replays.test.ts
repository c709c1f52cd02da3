import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { pino } from 'pino'
import t from 'tap'

import { describeFilter } from '../../src/cli/replays/describe.ts'
import { createRiverhook, memoryInbox, openInbox, type Job } from '../../src/index.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from '../inbox/arrivals.ts'
import { replayOfAll } from '../inbox/contract-jobs.ts'
import { claim, settleAll } from '../inbox/contract.ts'
import { named } from '../event-keys.ts'
import { cliHere } from './rig.ts'

t.test('a replay shows what it will do, runs as a job, and the job can be looked at', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t, {}), 'inbox.db')}`
  const server = openInbox(inbox)
  await server.open()
  await server.adopt(named('erp', 'mail').map((handler) => ({ ...handler, pattern: '*' })))
  await server.record([
    arrival('e1', ['erp', 'mail'], { about: ['buyer@example.com'] }),
    arrival('e2', ['erp', 'mail'])
  ])
  await settleAll(server, await claim(server, ['erp']), { state: 'dead', error: 'no' })
  await settleAll(server, await claim(server, ['mail']), { state: 'done' })
  await server.close()
  const cli = (...args: string[]) => cliHere([...args, '--inbox', inbox])
  t.equal((await cli('replays', 'list')).stdout, 'No replays. riverhook events replay starts one.\n')
  t.equal(
    (await cli('events', 'replay', '--since', '1970-01-01T00:00Z', '--dry-run')).stdout,
    'Would replay 2 deliveries of 2 events (erp: 2 dead; mail: 2 done, skipped). Nothing was changed.\n'
  )
  t.match(JSON.parse((await cli('events', 'replay', '--type', '*', '--dry-run', '--json')).stdout), {
    count: 2,
    capped: false,
    byHandler: [
      { handler: 'erp', state: 'dead', count: 2, skipped: false },
      { handler: 'mail', state: 'done', count: 2, skipped: true }
    ]
  })
  const job = JSON.parse(
    (await cli('events', 'replay', '--handler', 'erp', '--state', 'dead', '--rate', '100/s', '--yes', '--json')).stdout
  ) as Job
  t.match(job, { id: 1, state: 'done', replayed: 2, planned: 2, ratePerSecond: 100, filter: { handler: 'erp' } })
  t.match((await cli('replays', 'list')).stdout, /1 +done .* 2 deliveries replayed +state dead, handler erp, 100\/s\n/)
  t.match((await cli('replays', 'show', '1')).stdout, /^replay +1 done\nevents +state dead, handler erp, 100\/s\n/)
  t.match(await cli('replays', 'stop', '1'), { code: 0, stdout: /Replay 1 has ended already: done/ })
  const about = ['events', 'replay', '--about', 'buyer@example.com', '--include-done', '--yes', '--json']
  t.match(JSON.parse((await cli(...about)).stdout), { id: 2, replayed: 2, filter: { about: '...' } })
  t.match((await cli('replays', 'show', '2')).stdout, /^events +about \.\.\., including done ones\n/m)
  t.match(await cli('replays', 'show', '9'), { code: 1, stderr: /There is no replay 9/ })
  t.match(await cli('replays', 'stop', 'x'), { code: 2, stderr: /It must be the number of a replay/ })
  t.match(await cli('events', 'replay', '--state', 'dead', '--rate', 'fast'), { code: 2, stderr: /such as 10\/s/ })
})

t.test('a job is described without the values that may be personal data', async (t) => {
  const filter = { live: false, where: ['data.object.email=a@b', 'id exists'], until: new Date(0), realm: undefined }
  t.equal(describeFilter({ filter } as unknown as Job), 'until 1970-01-01 00:00:00Z, test events, where ... and ...')
})

// Risk: somebody waits for deliveries that a pause holds.
t.test('a replay for a paused handler says that its deliveries wait', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t, {}), 'inbox.db')}`
  const server = openInbox(inbox)
  await server.open()
  await server.adopt(named('erp', 'mail').map((handler) => ({ ...handler, pattern: '*' })))
  await server.record([arrival('e1', ['erp', 'mail'])])
  await settleAll(server, await claim(server, ['erp', 'mail']), { state: 'dead', error: 'no' })
  await server.pause('erp')
  await server.close()
  const { stdout } = await cliHere(['events', 'replay', '--state', 'dead', '--yes', '--inbox', inbox])
  t.equal(
    stdout,
    '2 deliveries will run, those of a paused handler when it is resumed.\n' +
      'erp is paused; to resume it, run: riverhook handlers resume erp\n'
  )
})

// Risk: a replay that ends with the terminal of the person who began it.
t.test('a job that a command left is continued by a server, and one that ended is not', async (t) => {
  const inbox = memoryInbox()
  const riverhook = createRiverhook({
    inbox,
    endpoints: [{ path: '/', secrets: 'whsec_x' }],
    log: pino({ level: 'silent' })
  })
  riverhook.on('order.accepted', { name: 'erp' }, () => undefined)
  await inbox.open()
  await inbox.adopt([{ name: 'erp', source: 'digital-river', pattern: 'order.accepted' }])
  await inbox.record([arrival('e1', ['erp']), arrival('e2', ['erp'])])
  await settleAll(inbox, await claim(inbox, ['erp']), { state: 'dead', error: 'no' })
  const left = await inbox.addJob({ ...replayOfAll, limit: undefined, ratePerSecond: undefined, includeDone: false })
  const stopped = await inbox.addJob(replayOfAll)
  await inbox.stopJob(stopped.id)
  await inbox.pause('erp')
  await riverhook.start()
  while ((await riverhook.job(left.id))?.endedAt === undefined) await setImmediate()
  t.match(await riverhook.jobs(), [
    { id: stopped.id, state: 'stopped', replayed: 0 },
    { id: left.id, state: 'done', replayed: 2 }
  ])
  t.match((await inbox.events({ limit: 9 })).events, [
    { deliveries: [{ state: 'pending', jobId: left.id }] },
    { deliveries: [{ state: 'pending', jobId: left.id }] }
  ])
  t.equal(await riverhook.stopJob(99), undefined)
  t.match(await riverhook.stopJob(left.id), { state: 'done' })
  t.match(await riverhook.planReplay({ includeDone: true }), {
    count: 2,
    byHandler: [{ handler: 'erp', state: 'pending' }]
  })
  await riverhook.stop()
})
