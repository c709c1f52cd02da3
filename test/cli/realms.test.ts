import { join } from 'node:path'
import t from 'tap'

import { openInbox } from '../../src/index.ts'
import { makeFolder } from '../folder.ts'
import { arrival, someMismatch } from '../inbox/arrivals.ts'
import { cliHere } from './rig.ts'

// Risk: a live event that is removed or replayed in place of the test event with the same id.
t.test('commands find an id in any realm, and ask for the realm if several have it', async (t) => {
  const address = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const inbox = openInbox(address)
  await inbox.open()
  await inbox.adopt([{ name: 'ship', source: 'digital-river', pattern: '*' }])
  const test = { realm: 'digital-river:test' }
  await inbox.record([arrival('1', ['ship']), arrival('1', ['ship'], test), arrival('2', [], test)])
  await inbox.flag([
    { realm: 'digital-river', ...someMismatch },
    { ...test, ...someMismatch }
  ])
  await inbox.close()
  const cli = (...args: string[]) => cliHere([...args, '--inbox', address])
  const ambiguous = {
    code: 2,
    stderr: /2 realms have an event with the id 1: add --realm digital-river or --realm digital-river:test/
  }
  t.match(await cli('events', 'show', '1'), ambiguous)
  t.match(await cli('events', 'replay', '1', '--yes'), ambiguous)
  t.match(await cli('events', 'remove', '1', '--yes'), ambiguous)
  t.match(await cli('events', 'show', '1', '--realm', 'digital-river:test'), {
    code: 0,
    stdout: /realm +digital-river:test\n/
  })
  t.match(await cli('events', 'show', '2'), { code: 0, stdout: /realm +digital-river:test\n/ }, 'only one realm has it')
  t.match(await cli('events', 'show', '2', '--realm', 'digital-river'), {
    stderr: /The realm digital-river of the inbox has no event with the id 2/
  })
  t.match((await cli('events', 'list')).stdout, /received +realm +id/)
  t.notMatch(
    (await cli('events', 'list', '--realm', 'digital-river:test')).stdout,
    /received +realm/,
    'a single realm needs no column'
  )
  t.match((await cli('drift')).stdout, /^realm +type/)
  t.equal((await cli('drift', '--json', '--realm', 'digital-river')).stdout.trim().split('\n').length, 1)
  t.match((await cli('stats')).stdout, /\nrealm +events .*\ndigital-river +1 .*\ndigital-river:test +2 /)
  t.match((await cli('stats', '--realm', 'digital-river:test')).stdout, /^2 events, 0 quarantined/)
  t.match(await cli('stats', '--realm', 'none'), {
    stderr: /no event of the realm none; it has the realms digital-river, digital-river:test/
  })
  t.match(await cli('events', 'remove', '1', '--realm', 'digital-river:test', '--yes'), {
    code: 0,
    stdout: /1 event removed/
  })
  t.match(
    await cli('events', 'show', '1'),
    { code: 0, stdout: /realm +digital-river\n/ },
    'the other one is still there'
  )
})
