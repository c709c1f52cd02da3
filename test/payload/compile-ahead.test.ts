// Risk: after each start, the first event of a type waits for its schema, and all other requests with it.
import t from 'tap'

import { compileAhead } from '../../src/payload/compile-ahead.ts'
import { PayloadChecks, type PayloadMode } from '../../src/payload/checks.ts'
import { Registry } from '../../src/handlers/registry.ts'

const types = ['a.first', 'b.second', 'b.third', 'c.fourth']

t.test('compiles the schemas of handled types, those that a handler names first', async (t) => {
  const { compiled, all } = watchSchemas(['b.*', 'b.third'], ['flag'])
  await all(2)
  t.same(compiled, ['b.third', 'b.second'])
})

t.test('compiles nothing that is not checked', async (t) => {
  const { compiled } = watchSchemas(['a.first'], ['off'])
  t.same(compiled, [])
  const { compiled: all, all: done } = watchSchemas(['*'], ['off', 'reject'])
  await done(4)
  t.same(all, types, 'all types of an endpoint that checks them, beside one that does not')
})

t.test('a schema that cannot be compiled stops neither the others nor the process', async (t) => {
  const { compiled, all, payloads } = watchSchemas(['*'], ['flag'], { broken: 'a.first' })
  await all(4)
  t.same(compiled, types)
  const event = { id: '1', type: 'a.first', data: { object: {} } }
  t.throws(() => payloads.check(event, [], 'flag'), { code: 'RIVERHOOK_RECEIVE_FAULT' }, 'an event reports it')
})

t.test('is ended', (t) => {
  const { compiled, end } = watchSchemas(['*'], ['flag'])
  end()
  t.same(compiled, ['a.first'])
  t.end()
})

t.test('compiles little while the process is busy', async (t) => {
  const busy = watchSchemas(['*'], ['flag'], { load: 0.9 })
  await busy.all(4)
  t.same(busy.compiled, types, 'but all of them in the end')
  // Compiling one takes 1.8 ms of the clock below, of which 97 % of the time are 5 pauses.
  t.equal(busy.pauses(), 15)
  const quiet = watchSchemas(['*'], ['flag'], { load: 0.4 })
  await quiet.all(4)
  t.equal(quiet.pauses(), 3)
})

/** Compiles ahead, and lists the types whose schemas the source was asked for. */
function watchSchemas(
  patterns: readonly string[],
  modes: readonly PayloadMode[],
  { broken, load = 0 }: { readonly broken?: string; readonly load?: number } = {}
) {
  const handlers = new Registry()
  patterns.forEach((pattern, index) => {
    handlers.on(pattern, { name: `handler-${index}` }, () => undefined)
  })
  const compiled: string[] = []
  let watcher: { readonly count: number; resolve(): void } | undefined
  const payloads = new PayloadChecks({
    knownTypes: new Set(types),
    schemaOf(type) {
      compiled.push(type)
      if (compiled.length === watcher?.count) watcher.resolve()
      return type === broken ? { type: 'no such type' } : { type: 'object' }
    }
  })
  // Each look at the clock takes so long that one type is compiled at a time.
  let ms = 0
  let measured = 0
  const end = compileAhead([{ source: { types }, handlers, payloads, modes }], {
    now: () => (ms += 0.6),
    loadSince: () => {
      measured += 1
      ms += 10
      return load
    }
  })
  // The load is measured before the first pause after each compilation, too.
  const pauses = (): number => measured - compiled.length
  const all = (count: number): Promise<void> =>
    new Promise((resolve) => {
      // The timer of the pauses keeps no process alive.
      const hold = setInterval(() => undefined, 60_000)
      watcher = {
        count,
        resolve() {
          clearInterval(hold)
          resolve()
        }
      }
      if (compiled.length >= count) watcher.resolve()
    })
  return { compiled, all, end, payloads, pauses }
}
