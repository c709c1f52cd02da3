import t from 'tap'

import { setPath } from '../../../src/cli/webhooks/set-path.ts'

// What a user would lose: to be told which part of `--set` is wrong, rather than an event that is not the one they
// meant.

const document = (): { liveMode: boolean; data: { object: Record<string, unknown> } } => ({
  liveMode: false,
  data: { object: { note: 'x', items: [{ quantity: 1 }] } }
})

t.test(
  'a field is set: texts stay texts, other values are read as JSON, what is missing on the way is made',
  async (t) => {
    const event = document()
    for (const assignment of [
      'data.object.note=00042',
      'data.object.items.0.quantity=7',
      'data.object.mine.deep=a=b',
      'liveMode=true'
    ])
      setPath(event, assignment)
    t.same(event, {
      liveMode: true,
      data: { object: { note: '00042', items: [{ quantity: 7 }], mine: { deep: 'a=b' } } }
    })
  }
)

for (const [assignment, reason] of [
  ['data.object.id', 'write PATH=VALUE, such as data.object.id=o1'],
  ['data..id=1', 'write PATH=VALUE, such as data.object.id=o1'],
  ['liveMode.x=1', 'liveMode has no fields, because it is false'],
  ['data.object.items.first=1', '"first" is not an index of a list; the first item is 0'],
  ['data.__proto__.x=1', '__proto__ cannot be set']
] as const) {
  t.test(`refused: ${assignment}`, async (t) => {
    const event = document()
    t.throws(
      () => {
        setPath(event, assignment)
      },
      { code: 'RIVERHOOK_CLI_USAGE', message: `--set ${assignment}: ${reason}` }
    )
    t.same(event, document(), 'and nothing was changed')
  })
}
