import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import files from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { ownFolder } from '../programs.ts'

/** Where `npm run build:page` puts the page: the same in a clone and in the package. */
const folder = fileURLToPath(new URL('../dist/page/', ownFolder))

/**
 * Serves the operator's page. Every path below the prefix that is no file shows it: it reads the rest of the path
 * itself. All its addresses are relative, so it works below any prefix and behind a proxy that strips one.
 */
export async function servePage(app: FastifyInstance): Promise<void> {
  const html = readPage()
  if (html === undefined) {
    const message = "The operator's page is not built. In a clone: npm run build:page"
    app.log.warn(message)
    for (const url of ['/', '/*'])
      app.get(url, { schema: hidden, exposeHeadRoute: false }, (_request, reply) =>
        reply.code(503).type('text/plain; charset=utf-8').send(message)
      )
    return
  }
  await app.register(files, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    decorateReply: false,
    index: false,
    preCompressed: true,
    // Their names change with their content.
    immutable: true,
    maxAge: '365d'
  })
  const show = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = request.url.split('?', 1)[0] ?? ''
    // Without the slash, the browser would take the last part of the prefix for a file.
    if (path === app.prefix && app.prefix !== '') return reply.redirect(`${lastPart(path)}/`, 308)
    const depth = path.slice(app.prefix.length).split('/').length - 2
    return reply
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(html.replace('<base href="./"', `<base href="./${'../'.repeat(Math.max(depth, 0))}"`))
  }
  for (const url of ['/', '/*']) app.get(url, { schema: hidden, exposeHeadRoute: false }, show)
}

/** Undefined if it is not built, as in a clone before its first start. */
function readPage(): string | undefined {
  const file = join(folder, 'index.html')
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** Hides the routes of the page from the OpenAPI document of the host. */
const hidden: object = { hide: true }

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
