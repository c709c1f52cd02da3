import { join } from 'node:path'
import t from 'tap'

import { openInbox } from '../../src/index.ts'
import { keyOf, named } from '../event-keys.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from '../inbox/arrivals.ts'
import { cliHere } from './rig.ts'

// Risk: a misspelt name selects nothing, and somebody believes that nothing has failed, or that all is erased.

t.test('a filter for an unknown name is an error with the nearest one', async (t) => {
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const server = openInbox(inbox)
  await server.open()
  await server.adopt(named('erp').map((handler) => ({ ...handler, pattern: 'order.*' })))
  await server.record([arrival('e1', ['erp'])])
  await server.close()
  const cli = (...args: string[]) => cliHere([...args, '--inbox', inbox])
  const commands = [
    ['events', 'list'],
    ['events', 'export'],
    ['events', 'replay', '--dry-run'],
    ['events', 'remove', '--yes'],
    ['events', 'erase', '--dry-run']
  ]
  for (const command of [...commands, ['failures']])
    t.match(
      await cli(...command, '--handler', 'erpp'),
      { code: 1, stdout: '', stderr: /There is no handler "erpp"; did you mean "erp"\?/ },
      command.join(' ')
    )
  for (const command of commands)
    t.match(
      await cli(...command, '--type', 'order.acepted'),
      { code: 1, stdout: '', stderr: /The type "order\.acepted" is unknown.*; did you mean "order\.accepted"\?/ },
      command.join(' ')
    )
  t.match(await cli('events', 'list', '--type', 'refund.*'), { code: 0, stdout: 'No events.\n' }, 'known, none stored')
  t.match(await cli('events', 'remove', '--type', 'refund.*'), { code: 0, stdout: 'Nothing to remove.\n' })
  await server.open()
  t.teardown(() => server.close())
  t.ok(await server.event(keyOf('e1')))
  t.same((await server.audits({ limit: 9 })).entries, [], 'nothing was done')
})
