import { readFileSync } from 'node:fs'
import t from 'tap'

import * as admin from '../src/admin/index.ts'
import * as surface from '../src/index.ts'
import * as sources from '../src/sources.ts'

// Risk: a name that an upgrade removes unnoticed, or one that no page explains.
t.test('the public names match the page of exports, and the default export is the plugin', (t) => {
  const page = readFileSync(new URL('../docs/exports.md', import.meta.url), 'utf8')
  const [own = '', more = '', operators = ''] = page.split(/\n## riverhook\/(?:sources|admin)\n/)
  const documented = (part: string) => [...part.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
  t.same(Object.keys(surface).sort(), [...documented(own), 'default'].sort())
  t.same(Object.keys(sources).sort(), documented(more).sort())
  t.same(Object.keys(admin).sort(), [...documented(operators), 'default'].sort())
  t.equal(surface.default, surface.riverhook)
  t.end()
})
