import t from 'tap'

import { usualPersonalPaths } from '../../src/model/personal-paths.ts'
import { loadSource, sourceNames } from '../../src/options/source-by-name.ts'
import { Redaction } from '../../src/payload/redaction.ts'
import type { Source } from '../../src/index.ts'
import { examples } from './personal-examples.ts'
import { canary } from './personal-shops.ts'

// Risk: the buyers of a shop that uses another provider than the default one are shown to everyone.

/** All texts in a value. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

const redactionOf = ({ redact = usualPersonalPaths }: Source): Redaction => new Redaction(redact)

t.test(
  'every source by name has an example, except the default one (its schemas are tested), and the second name of one',
  async (t) => {
    t.same(Object.keys(examples).sort(), sourceNames.filter((name) => !['digitalRiver', 'svix'].includes(name)).sort())
  }
)

for (const [name, all] of Object.entries(examples))
  t.test(`${name}: names and addresses are redacted in payloads, search keys and errors`, async (t) => {
    const source = (await loadSource(name)) as Source
    for (const { body, headers = {}, about = [] } of all) {
      const bytes = Buffer.from(JSON.stringify(body))
      const redaction = redactionOf(source)
      const masked = redaction.json(bytes) ?? ''
      t.notMatch(masked, /CANARY\d*/i)
      t.notMatch(masked, /@/)
      const reading = source.read({ headers, body: bytes })
      t.equal(reading.ok, true, JSON.stringify(reading))
      const hide = redaction.hiderOf(bytes)
      const keys = reading.ok ? (source.keysOf?.(reading.event) ?? []).map((key) => String(key).toLowerCase()) : []
      const shown = [...new Set(keys)].filter((key) => hide(key) === key)
      t.same(shown, about, 'ids are shown')
      for (const value of textsIn(body).filter((text) => text.toUpperCase().includes(canary)))
        t.notMatch(hide(`the ERP refused ${value}, sorry`), /CANARY/i, value)
    }
  })

t.test('the first search key, which lists show as the resource, is no personal one', async (t) => {
  for (const [name, all] of Object.entries(examples)) {
    const source = (await loadSource(name)) as Source
    for (const { body, headers = {} } of all) {
      const reading = source.read({ headers, body: Buffer.from(JSON.stringify(body)) })
      const first = reading.ok ? (source.keysOf?.(reading.event) ?? []).find((key) => !String(key).includes('@')) : ''
      t.notMatch(String(first), /CANARY/i, name)
    }
  }
})

t.test('the sample of a source shows nothing personal', async (t) => {
  for (const name of sourceNames) {
    const source = (await loadSource(name)) as Source
    const sample = source.sample?.({ id: 's1', at: new Date(), liveMode: false })
    if (sample !== undefined) t.notMatch(redactionOf(source).json(Buffer.from(JSON.stringify(sample))), /@/, name)
  }
})
