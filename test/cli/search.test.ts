import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

import { openInbox } from '../../src/index.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from '../inbox/arrivals.ts'
import { event } from '../receive/receiver.ts'
import { startServer } from '../processes.ts'
import { cliHere, untilStored } from './rig.ts'
import { keyOf } from '../event-keys.ts'

// Risk: at three in the morning, no answer to what happened to order 4711.

t.test(
  'events are found by what they are about, and by new keys once these are rebuilt beside the server',
  async (t) => {
    const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
    const env = { RIVERHOOK_INBOX: inbox, RIVERHOOK_SECRETS: 'whk_a' }
    const server = await startServer(env)
    t.teardown(() => server.end('SIGKILL'))
    const cli = (args: string[], more = {}) => cliHere(args, { ...env, ...more })
    const file = join(t.testdirName, 'event.json')
    const send = async (id: string, object: object) => {
      writeFileSync(file, event({ id, data: { object } }))
      t.equal((await untilStored(() => cli(['send', file, '--url', `${server.url}/webhooks/digital-river`]))).code, 0)
    }
    await send('e1', { id: 'ORDER-4711', email: 'kim@x.example' })
    await send('e2', { id: 'refund-1', orderId: 'ORDER-4711', metadata: { cartId: 'cart-9' } })
    await send('4711', { id: 'ORDER-5' })

    t.match((await cli(['events', 'list', '--about', 'order-4711'])).stdout, /e2 .*\n.* e1 /)
    t.notMatch((await cli(['events', 'list', '--about', 'kim@x.example'])).stdout, /e2/)
    t.match((await cli(['events', 'list', '--about', 'order-*', '--json'])).stdout, /"id":"4711".*\n.*"e2".*\n.*"e1"/)
    t.equal((await cli(['events', 'list', '--about', 'nothing'])).stdout, 'No events.\n')
    t.match(await cli(['events', 'list', '--about', 'a*']), { code: 2, stderr: /--about must be an id .* at least 3/ })

    const about = await cli(['events', 'show', 'ORDER-4711'])
    t.match(about.stdout, /e2 .*\n.* e1 .*\n\nShow one of them: riverhook events show ID/)
    t.match((await cli(['events', 'show', '4711'])).stdout, /^id +4711\n[^]*about +order-5\n/, 'the id of an event')
    t.match(await cli(['events', 'show', 'order-4711', '--raw']), { code: 1, stderr: /no event with the id/ })
    t.match(await cli(['events', 'show', 'order-4712']), { code: 1, stderr: /no event with the id/ })

    const paths = { RIVERHOOK_SEARCH_KEYS: 'data.object.metadata.cartId, data.object.nothing' }
    t.equal((await cli(['events', 'list', '--about', 'cart-9'])).stdout, 'No events.\n')
    t.match(await cli(['inbox', 'keys']), { code: 2, stderr: /--rebuild/ })
    t.match(await cli(['inbox', 'keys', '--rebuild'], paths), { code: 0, stdout: /^1 event of 3 changed\.\n$/ })
    t.match((await cli(['events', 'list', '--about', 'cart-9'])).stdout, / e2 /)
    t.match((await cli(['inbox', 'keys', '--rebuild'], paths)).stdout, /^0 events of 3 changed\.\n$/)
    t.match(await cli(['inbox', 'keys', '--rebuild'], { RIVERHOOK_SEARCH_KEYS: 'data..id' }), {
      code: 1,
      stderr: /RIVERHOOK_SEARCH_KEYS must be a list of at most 12 paths/
    })

    t.match((await cli(['events', 'remove', '--about', 'order-4711', '--yes'])).stdout, /^2 events removed\.\n$/)
    t.equal((await cli(['events', 'list', '--about', 'kim@x.example'])).stdout, 'No events.\n')
  }
)

t.test('keys: events of a source that no endpoint has keep theirs, and this is reported', async (t) => {
  const address = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const inbox = openInbox(address)
  await inbox.open()
  await inbox.record([arrival('1', [], { source: 'gone', about: ['o1'] })])
  await inbox.close()
  const { stdout } = await cliHere(['inbox', 'keys', '--rebuild'], { RIVERHOOK_INBOX: address })
  t.match(
    stdout,
    /^0 events of 1 changed\.\n1 event cannot be read with the sources of the endpoints here, and keeps its/
  )
  await inbox.open()
  t.same((await inbox.event(keyOf('1')))!.about, ['o1'])
  await inbox.close()
})
