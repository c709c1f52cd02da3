import { Command } from 'commander'

import { RiverhookError } from '../../index.ts'
import { print } from '../output.ts'

interface Flags {
  readonly name: string
  readonly scope: string
}

export function tokenCommand(): Command {
  return new Command('token')
    .description("make a token for the operator's API, and the line that lets it in; the token is shown once")
    .requiredOption('--name <name>', 'the person or program; it is in the audit log')
    .option('--scope <scopes>', 'what it may do: read, reveal, operate, erase; several with commas', 'read')
    .action(async ({ name, scope }: Flags) => {
      const [{ newToken }, { isScope, scopes }] = await Promise.all([
        import('../../admin/tokens.ts'),
        import('../../admin/scope.ts')
      ])
      const given = scope.split(',').map((each) => each.trim())
      if (!/^[^\s,#\p{C}][^\s,\p{C}]{0,199}$/u.test(name))
        throw usage('--name must be 1 to 200 printable characters without spaces and commas, and not begin with #')
      if (!given.every(isScope)) throw usage(`--scope must be of ${scopes.join(', ')}`)
      const { token, line } = newToken(name, [...new Set(given)])
      print(`Token, shown only now; it is sent as "Authorization: Bearer", or typed into the page:

  ${token}

Line for the file that RIVERHOOK_ADMIN_TOKENS_FILE names. The server reads it within a request; without the line, the token ends:

  ${line}
`)
    })
}

function usage(message: string): RiverhookError {
  return new RiverhookError('RIVERHOOK_CLI_USAGE', message)
}
