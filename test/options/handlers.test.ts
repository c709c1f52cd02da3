import { join } from 'node:path'

import t from 'tap'

import { createRiverhook, defineHandler, memoryInbox } from '../../src/index.ts'
import { handlersIn } from '../../src/programs.ts'
import { makeFolder } from '../folder.ts'

// Risk: a handler that is passed as a value and never runs.

const names = (handlers: { readonly all: readonly { readonly name: string }[] }) => handlers.all.map(({ name }) => name)

t.test('handlers are given as values, as folders, or as a list of both, in the order of the list', async (t) => {
  const folder = makeFolder(t, {
    'b.js': "import { defineHandler } from 'riverhook'\nexport default defineHandler('*', { name: 'file' }, () => {})\n"
  })
  const one = defineHandler('order.accepted', { name: 'one' }, () => undefined)
  const two = defineHandler('order.*', { name: 'two' }, () => undefined)
  t.same(names(await handlersIn(one)), ['one'])
  t.same(names(await handlersIn(folder)), ['file'])
  t.same(names(await handlersIn([two, folder, one])), ['two', 'file', 'one'])

  const inbox = memoryInbox()
  const riverhook = createRiverhook({ secrets: 'whk_a', inbox, handlers: [one, folder] })
  riverhook.on(two)
  await riverhook.start()
  t.teardown(() => riverhook.stop())
  t.same(
    (await inbox.handlers()).map(({ name }) => name).sort(),
    ['file', 'one', 'two'],
    'a definition can be registered, too'
  )
})

t.test('an invalid handler is refused by name, and so are two handlers with one name', async (t) => {
  const one = defineHandler('order.accepted', () => undefined)
  for (const handlers of [5, [() => undefined], [''], { pattern: '*' }, null])
    t.throws(() => createRiverhook({ secrets: 'whk_a', inbox: 'memory:', handlers: handlers as never }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: 'Option "handlers" must be a folder, what defineHandler(...) returns, or a list of both'
    })
  await t.rejects(createRiverhook({ secrets: 'whk_a', inbox: 'memory:', handlers: [one, one] }).start(), {
    code: 'RIVERHOOK_HANDLERS_NAME_CLASH'
  })
  const nowhere = join(makeFolder(t), 'nowhere')
  await t.rejects(createRiverhook({ secrets: 'whk_a', inbox: 'memory:', handlers: [one, nowhere] }).start(), {
    code: 'RIVERHOOK_HANDLERS_LOAD'
  })
})
