// npm run bench -- receive | drain [--quick]
import { parseArgs } from 'node:util'

import { drain } from './drain/run.ts'
import { installPeers } from './peers.ts'
import { receive } from './receive/run.ts'

const usage = `npm run bench -- receive [--quick] [--rounds N] [--only KEY ...]
    signed events over HTTP on loopback, 64 connections: riverhook beside a hand-written route and its peers

npm run bench -- drain [--quick]
    no-op deliveries out of the SQLite inbox, with a small and with a large backlog
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] }
  }
})

if (positionals[0] === 'receive') {
  installPeers()
  const accepted = await receive({
    rounds: Number(values.rounds ?? (values.quick ? 1 : 7)),
    warmUpMs: values.quick ? 500 : 1_000,
    measuredMs: values.quick ? 1_000 : 1_500,
    only: values.only
  })
  if (!accepted) process.exitCode = 1
} else if (positionals[0] === 'drain') {
  await drain({ small: 1_000, large: values.quick ? 30_000 : 300_000, repeats: values.quick ? 5 : 20 })
} else {
  process.stderr.write(usage)
  process.exitCode = 2
}
