import t from 'tap'

import { setPath } from '../../src/cli/set-path.ts'

// Risk: an error that does not name the wrong part of `--set`, or an event other than the intended one.

const document = (): { liveMode: boolean; data: { object: Record<string, unknown> } } => ({
  liveMode: false,
  data: { object: { note: 'x', items: [{ quantity: 1 }] } }
})

t.test('a field is set: text stays text, other values are parsed as JSON, missing parents are created', async (t) => {
  const event = document()
  for (const assignment of [
    'data.object.note=00042',
    'data.object.items.0.quantity=7',
    'data.object.mine.deep=a=b',
    'liveMode=true'
  ])
    setPath(event, assignment)
  t.same(JSON.parse(JSON.stringify(event)), {
    liveMode: true,
    data: { object: { note: '00042', items: [{ quantity: 7 }], mine: { deep: 'a=b' } } }
  })
})

t.test('a number keeps all its digits', async (t) => {
  const event = document()
  setPath(event, 'data.object.id=820982911946154508')
  setPath(event, 'data.object.prices=[1.10]')
  t.equal(
    JSON.stringify(event.data.object),
    '{"note":"x","items":[{"quantity":1}],"id":820982911946154508,"prices":[1.10]}'
  )
  t.throws(
    () => {
      setPath(event, 'data.object.id.x=1')
    },
    { message: '--set data.object.id.x=1: data.object.id has no fields, because it is 820982911946154508' }
  )
})

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
    t.same(event, document(), 'nothing was changed')
  })
}
