import { auditCommand } from './audit.ts'
import { listCommand } from './handlers/list.ts'
import { withPlainInbox } from './inbox.ts'
import { addTo, bareProgram, group, handlersDescription, runProgram } from './run.ts'
import { statsCommand } from './stats.ts'

/*
 * The commands that are typed often and only read the inbox, without what the others need. In the published package,
 * they are one file with its own copy of all that it uses (test/package/bundle.ts).
 */

const commands = {
  stats: () => statsCommand(withPlainInbox),
  audit: () => auditCommand(withPlainInbox),
  handlers: () => group('handlers', handlersDescription, [listCommand(withPlainInbox)])
}

/** Runs a command line for which `isQuick()` is true: prints and returns what `run()` of `program.ts` does. */
export function run(args: readonly string[]): Promise<number | undefined> {
  return runProgram(args, (first) => {
    const program = bareProgram(async () => undefined)
    addTo(program, commands[first as keyof typeof commands]())
    return program
  })
}
