import t from 'tap'

import { makeFolder } from '../folder.ts'
import { runProcess } from '../processes.ts'

// Risk: every command, also one in a script that runs each minute, waits for packages that it does not use.

t.test('a command that only reads loads no package for checks, logs, progress and HTTP', async (t) => {
  const url = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href)
  const address = JSON.stringify(`sqlite:${makeFolder(t, {})}/inbox.db`)
  const script = `
    import { isBuiltin, registerHooks } from 'node:module'
    const loaded = new Set()
    registerHooks({
      load: (name, context, next) => {
        if (!isBuiltin(name)) loaded.add(name)
        return next(name, context)
      }
    })
    const { sqliteInbox } = await import(${url('src/inbox/sqlite/engine.ts')})
    const inbox = sqliteInbox({ path: ${address}.slice(7) })
    await inbox.open()
    await inbox.close()
    const { run } = await import(${url('src/cli/program.ts')})
    const code = await run(['stats', '--json', '--inbox', ${address}])
    const heavy = /node_modules\\/(?:ajv|ajv-formats|pino|thread-stream|cli-progress|fastify|typebox|jose|@[^/]+)\\//
    console.error(JSON.stringify({ code, most: loaded.size <= 440, heavy: [...loaded].filter((each) => heavy.test(each)) }))
  `
  const { stdout, stderr } = await runProcess(process.execPath, [
    '--conditions=riverhook-source',
    '--input-type=module',
    '--eval',
    script
  ])
  t.equal((JSON.parse(stdout) as { readonly events: number }).events, 0)
  t.same(JSON.parse(stderr), { most: true, heavy: [] })
})
