import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import t from 'tap'

import { eventType, riverhook } from '../../src/index.ts'
import { checkTypes } from '../../src/handlers/event-type.ts'
import { makeFolder } from '../folder.ts'

// Risk: a handler that can never run, unnoticed at the start.

const known = new Set(['order.accepted', 'order.cancelled', 'refund.failed'])
const handler = (pattern: string, name = pattern) => ({ pattern, name })

t.test('an unknown event type stops the start, with the nearest names', async (t) => {
  t.throws(
    () => {
      checkTypes([handler('order.accepted'), handler('order.acepted')], known)
    },
    {
      code: 'RIVERHOOK_HANDLERS_UNKNOWN_TYPE',
      message:
        /The handler for "order\.acepted" would never run: no event type of that name is known; did you mean "order\.accepted"\? .*on\(eventType\('order\.acepted'\), \.\.\.\)/
    }
  )
  t.throws(
    () => {
      checkTypes([handler('order.canceled', 'mail')], known)
    },
    { message: /Handler "mail" for "order\.canceled".*did you mean "order\.cancelled"/ }
  )
  t.throws(() => {
    checkTypes([handler('something.else')], known)
  }, /is known\. If it is newer/)
})

t.test('a prefix that covers no known type stops the start, with the nearest one', async (t) => {
  t.throws(
    () => {
      checkTypes([handler('order.*'), handler('ordr.*', 'audit')], known)
    },
    {
      code: 'RIVERHOOK_HANDLERS_UNKNOWN_TYPE',
      message:
        'Handler "audit" for "ordr.*" would never run: it covers no event type that is known; did you mean "order.*"? If the types are newer than this version, name one of them with eventType()'
    }
  )
  eventType('parcel.sent')
  t.doesNotThrow(() => {
    checkTypes([handler('parcel.*')], known)
  }, 'the types of a prefix may be newer')
})

t.test('patterns, known types and types named through eventType() are accepted', async (t) => {
  t.equal(eventType('order.split'), 'order.split')
  t.doesNotThrow(() => {
    checkTypes([handler('*'), handler('refund.*'), handler('refund.failed'), handler('order.split')], known)
  })
  t.doesNotThrow(() => {
    checkTypes([handler('anything')], new Set())
  }, 'a provider that names no types')
  t.throws(() => eventType('order.*'), { code: 'RIVERHOOK_HANDLERS_PATTERN' })
  t.throws(() => eventType(''), { code: 'RIVERHOOK_HANDLERS_PATTERN' })
})

t.test('the same holds for JavaScript and for a folder of handlers', async (t) => {
  const folder = makeFolder(t)
  const app = Fastify()
  t.teardown(() => app.close())
  writeFileSync(
    join(folder, 'a.js'),
    "import { defineHandler, eventType } from 'riverhook'\nexport default [defineHandler(eventType('order.from_js'), () => undefined), defineHandler('refund.faild', () => undefined)]\n"
  )
  await app.register(riverhook, { secrets: 'whk_a', inbox: 'memory:', handlers: folder })
  await t.rejects(async () => app.ready(), {
    code: 'RIVERHOOK_HANDLERS_UNKNOWN_TYPE',
    message: /"refund\.faild".*"refund\.failed"/
  })
})
