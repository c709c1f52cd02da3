import t from 'tap'

import { scopes, type Scope } from '../../src/admin/index.ts'
import { routes } from '../../src/admin/routes/index.ts'
import { startAdmin } from './rig.ts'

/** A path of the route, with a value for each parameter. */
const pathOf = (path: string): string => path.replaceAll(/:\w+/g, 'none').replace('*', 'none')

// Risk: a route that was added without a scope, which then everybody can call.
t.test('every route needs exactly its scope; only the session is open', async (t) => {
  t.same([...new Set(routes.filter(({ scope }) => scope === 'none').map(({ path }) => path))], ['session'])
  const { call } = await startAdmin(t)
  for (const { method, path, scope } of routes.filter((route) => route.scope !== 'none')) {
    t.ok(scopes.includes(scope), `${method} ${path} names a scope`)
    const statusWith = async (given: readonly Scope[] | undefined) => {
      const { status, body } = await call(pathOf(path), {
        method,
        scopes: given,
        ...(method === 'GET' ? {} : { body: {} })
      })
      // A live tail has no end.
      await body?.cancel()
      return status
    }
    t.equal(await statusWith(undefined), 401, `${method} ${path} without a login`)
    t.equal(await statusWith([]), 403, `${method} ${path} without a scope`)
    for (const other of scopes.filter((each) => each !== scope))
      t.equal(await statusWith([other]), 403, `${method} ${path} with ${other} only`)
    t.notOk([401, 403].includes(await statusWith([scope])), `${method} ${path} with ${scope}`)
  }
})

t.test('the table has no route twice', async (t) => {
  const names = routes.map(({ method, path }) => `${method} ${path}`)
  t.same([...new Set(names)], names)
})
