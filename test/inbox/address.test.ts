import fc from 'fast-check'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

import { openInbox } from '../../src/index.ts'
import { describeAddress, isSameInbox } from '../../src/programs.ts'
import { makeFolder } from '../folder.ts'

// Risk: the password of the database, exposed to everyone who can read a log or a terminal.

const marked = fc
  .array(fc.constantFrom('GEHEIM', ':', '@', '/', '?', '#', '%', '&', '=', ' ', '[', '\\', '.', '1'), {
    minLength: 1,
    maxLength: 6
  })
  .map((parts) => `GEHEIM${parts.join('')}GEHEIM`)

t.test('no part of a password is shown or thrown, in any notation', async () => {
  const scheme = fc.constantFrom(
    'postgres://',
    'postgresql://',
    'postgress://',
    'Postgres://',
    'postgres:',
    ' postgres://',
    '"postgres://',
    ''
  )
  const form = fc.constantFrom(
    (password: string) => `user:${password}@db.example/shop`,
    (password: string) => `user:1${password}@db.example:5432/shop?schema=x`,
    (password: string) => `db.example/shop?user=u&password=${password}`,
    (password: string) => `:${password}@db.example/shop`
  )
  fc.assert(
    fc.property(scheme, form, marked, (start, write, password) => {
      const address = start + write(password)
      if (/GEHEIM/.test(describeAddress(address))) return false
      try {
        void openInbox(address).close()
        return true
      } catch (error) {
        return error instanceof Error && !error.message.includes('GEHEIM')
      }
    }),
    {
      numRuns: 1000,
      examples: [['postgres://', (password) => `user:${password}@db.example/shop`, 'GEHEIM@GEHEIM/GEHEIM?GEHEIM']]
    }
  )
})

t.test('the rest of an address is shown', async (t) => {
  t.equal(
    describeAddress('postgres://u:p%40@db.example:5433/shop?schema=x&sslmode=require'),
    'postgres://db.example:5433/shop?schema=x'
  )
  t.equal(describeAddress('sqlite:data/a@b:c.db'), 'sqlite:data/a@b:c.db')
  t.equal(describeAddress('./riverhook.db'), './riverhook.db')
  t.equal(describeAddress('sqlit:riverhook.db'), 'sqlit:...', 'a typing error is visible')
  t.equal(describeAddress('postgrse:u:p@db'), 'postgrse:...')
  t.equal(describeAddress('u:p@db'), '...')
})

t.test('two spellings of an address name the same inbox', async (t) => {
  const folder = makeFolder(t, { 'a.db': '' })
  symlinkSync('a.db', join(folder, 'link.db'))
  t.ok(isSameInbox(`sqlite:${folder}/a.db`, `sqlite://${folder}/x/../link.db`))
  t.ok(isSameInbox('postgres://a:b@h/d', 'postgresql://c@h:5432/d?schema=riverhook'))
  t.notOk(isSameInbox('postgres://a:b@h/d', 'postgres://a:b@h/d?schema=x'))
  t.notOk(isSameInbox('postgres://h/d', `sqlite:${folder}/a.db`))
})
