import type { FastifyInstance } from 'fastify'

import { RiverhookError } from '../errors.ts'

const json = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

/**
 * Makes this scope take bodies as the exact bytes, up to the route's limit: the signature is over them. JSON of any sort and
 * bodies without a content type are taken (the provider documents none); the rest is refused with 415.
 */
export function acceptBytes(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    const type = request.headers['content-type']
    if (type === undefined || type === '' || json.test(type)) {
      done(null, body)
      return
    }
    done(new RiverhookError('RIVERHOOK_RECEIVE_MEDIA_TYPE', 'The content type must be application/json'))
  })
}
