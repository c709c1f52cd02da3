import { sources } from './sources.js'

/**
 * The files of a project, by path.
 * @param {{ name: string, kind: 'standalone' | 'mounted', source: string, inbox: 'sqlite' | 'postgres', version: string }} choice
 */
export function projectFiles({ name, kind, source, inbox, version }) {
  const provider = sources[source]
  const isMounted = kind === 'mounted'
  const path = `/webhooks/${source}`
  const address = inbox === 'postgres' ? 'postgres://localhost/riverhook' : 'sqlite:riverhook.db'
  return {
    'package.json': json({
      name,
      private: true,
      type: 'module',
      engines: { node: '>=22.18' },
      scripts: {
        dev: 'riverhook dev',
        start: isMounted ? 'node server.ts' : 'riverhook serve',
        check: 'tsc && riverhook serve --check',
        test: 'node --test'
      },
      dependencies: { fastify: '^5.0.0', riverhook: `^${version}` },
      devDependencies: { '@types/node': '^24.0.0', typescript: '^6.0.0', ...provider.types }
    }),
    'tsconfig.json': json({
      compilerOptions: {
        module: 'nodenext',
        target: 'es2024',
        types: ['node'],
        strict: true,
        noEmit: true,
        allowImportingTsExtensions: true,
        erasableSyntaxOnly: true,
        skipLibCheck: true
      }
    }),
    ...(provider.factory === undefined
      ? {}
      : {
          'source.ts': `import { ${provider.factory} } from 'riverhook/sources'

// One value for the configuration, the handlers and the tests: it gives the events their types.
export const source = ${provider.factory}()
`
        }),
    'handlers/first.ts': handlerText(provider),
    'handlers/first.test.ts': testText(provider),
    'riverhook.config.ts': `// Read by riverhook serve, riverhook dev and the commands. Environment variables override it.
import { defineConfig } from 'riverhook'
${provider.factory === undefined ? '' : "\nimport { source } from './source.ts'\n"}
export default defineConfig({${provider.factory === undefined ? '' : '\n  source,'}
  path: '${path}',
  secrets: process.env['RIVERHOOK_SECRETS']?.split(','),
  inbox: process.env['RIVERHOOK_INBOX'] ?? '${address}',
  handlers: 'handlers'
})
`,
    ...(isMounted ? { 'server.ts': serverText(provider) } : {}),
    Dockerfile: dockerfile(isMounted, inbox),
    '.dockerignore': 'node_modules\n.riverhook\n*.db*\n.git\n',
    '.gitignore': 'node_modules\n.riverhook\n*.db*\n.env\n',
    'README.md': readme({ name, path, inbox, isMounted })
  }
}

const json = (value) => `${JSON.stringify(value, undefined, 2)}\n`

function handlerText({ factory, type, log }) {
  return `import { defineHandler } from 'riverhook'
${factory === undefined ? '' : "\nimport { source } from '../source.ts'\n"}
// Runs until it succeeds, or is a dead letter. The name is stable: deliveries are stored under it.
export default defineHandler(${factory === undefined ? '' : 'source, '}'${type}', { name: 'first' }, (${log.includes('event') ? 'event' : '_event'}, { log }) => {
  ${log}
})
`
}

function testText({ factory, type, message }) {
  return `import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createTestReceiver } from 'riverhook/testing'

${factory === undefined ? '' : "import { source } from '../source.ts'\n"}import first from './first.ts'

test('an event is received, recorded and handled', async (t) => {
  const receiver = await createTestReceiver({ ${factory === undefined ? '' : 'source, '}handlers: first })
  t.after(() => receiver.close())
  const { status, deliveries } = await receiver.send({ type: '${type}' })
  assert.equal(status, 202)
  assert.equal(deliveries[0]?.state, 'done')
  assert.ok(receiver.log.some(({ msg }) => msg === '${message}'))
})
`
}

function serverText({ factory }) {
  return `// Riverhook mounted in a service on Fastify.
import Fastify from 'fastify'
import riverhook from 'riverhook'

import config from './riverhook.config.ts'

const app = Fastify({ logger: true })

// Your own routes come here.

const { path, secrets, inbox, handlers${factory === undefined ? '' : ', source'} } = config
await app.register(riverhook, { path, secrets, inbox, handlers${factory === undefined ? '' : ', source'} })

app.get('/health/ready', async (_request, reply) => {
  const { ready, reasons } = await app.riverhook.health()
  return reply.code(ready ? 200 : 503).send({ reasons })
})

// Before the process exits, running handlers end or are handed back.
process.once('SIGTERM', async () => {
  await app.riverhook.drain()
  await app.close()
})

await app.listen({ host: process.env['HOST'] ?? '127.0.0.1', port: Number(process.env['PORT'] ?? 8080) })
`
}

function dockerfile(isMounted, inbox) {
  const command = isMounted ? '["node", "server.ts"]' : '["node_modules/.bin/riverhook", "serve"]'
  return `FROM node:24-slim
WORKDIR /app
COPY package*.json ./
RUN npm ci --omit=dev && mkdir -m 700 /data && chown 1000:1000 /data
COPY . .
# The user node, by number: Kubernetes checks that it is not root.
USER 1000:1000
ENV NODE_ENV=production HOST=0.0.0.0 RIVERHOOK_HOST=0.0.0.0${inbox === 'sqlite' ? ' RIVERHOOK_INBOX=sqlite:/data/riverhook.db\nVOLUME /data' : ''}
EXPOSE 8080
CMD ${command}
`
}

function readme({ name, path, inbox, isMounted }) {
  return `# ${name}

Receives webhook events at \`${path}\`${isMounted ? ', mounted in a service on Fastify' : ''}, with [Riverhook](https://github.com/riverhook/riverhook#readme).

| command | |
|---|---|
| \`npm test\` | the test of the handler |
| \`npm run dev\` | your handlers, loaded again when a file changes; press t to send an event |
| \`RIVERHOOK_SECRETS=whk_example npm run check\` | types, configuration and handlers |
| \`RIVERHOOK_SECRETS=whk_example npm start\` | the server |

The handlers are in \`handlers/\`. \`RIVERHOOK_SECRETS\` is the signing secret that the provider shows for the webhook; during a rotation both, comma-separated.${
    inbox === 'postgres'
      ? ' `RIVERHOOK_INBOX` is the address of the database, `postgres://USER:PASSWORD@HOST/DATABASE`.'
      : ''
  }
`
}
