import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'

import { event, postOver } from './receiver.ts'

// Risk: the process, when the disk is slow and Digital River continues to send. The server's store accepts 200 events a
// second. The test sends 6,000 events at 2,000 a second.

const total = 6_000
const perSecond = 2_000

t.test("at ten times the store's rate: 503 for the excess, nothing lost, memory bounded, and a recovery", async (t) => {
  const server = fork(new URL('./overload-server.ts', import.meta.url), {
    execArgv: ['--conditions=riverhook-source', '--expose-gc']
  })
  t.teardown(() => server.kill())
  const [url] = (await once(server, 'message')) as [string]
  const ask = async (what: 'memory' | 'events'): Promise<number> => {
    server.send(what)
    return ((await once(server, 'message')) as [number])[0]
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 512 })
  t.teardown(() => {
    agent.destroy()
  })
  await post(url, agent)
  const before = await ask('memory')
  const counts = new Map<number, number>()
  const pending: Promise<void>[] = []
  const start = performance.now()
  for (let sent = 0; sent < total; sent += 1) {
    while (sent > ((performance.now() - start) / 1000) * perSecond) await turn()
    pending.push(
      post(url, agent).then((status) => {
        counts.set(status, (counts.get(status) ?? 0) + 1)
      })
    )
  }
  const growth = (await ask('memory')) - before
  await Promise.all(pending)
  t.comment(Object.fromEntries(counts))
  t.same([...counts.keys()].sort(), [202, 503], 'there is no other answer')
  t.ok((counts.get(503) ?? 0) > 0)
  t.ok((counts.get(202) ?? 0) > 30, 'the store is busy with requests that are still waited for')
  t.ok(growth < 64 * 1024 * 1024, `grew by ${(growth / 1024 / 1024).toFixed(1)} MiB`)
  t.ok((await ask('events')) >= (counts.get(202) ?? 0) + 1, 'all acknowledged events are stored')
  // The last waiting events are still being written, so one more may be refused. Digital River retries too.
  let status = 503
  for (let tries = 0; status === 503 && tries < 1000; tries += 1) status = await post(url, agent)
  t.equal(status, 202, 'and it recovers')
})

async function post(url: string, agent: Agent): Promise<number> {
  return (await postOver(agent, url, event({ data: { object: { pad: 'x'.repeat(4000) } } }), 'whk_a')).status
}
