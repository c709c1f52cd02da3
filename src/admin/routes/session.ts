import { RiverhookError } from '../../index.ts'
import type { LoginBodyJson, SessionJson } from '../api-types.ts'
import { wrongToken } from '../authenticate.ts'
import { AdminAnswer, type OpenContext, type OpenRoute } from '../route.ts'
import { schemas } from '../schema.ts'
import type { Sent } from '../sent.ts'

const whoAmI: OpenRoute = {
  method: 'GET',
  path: 'session',
  scope: 'none',
  schema: { summary: 'Who am I', response: { 200: schemas.Session } },
  handle: ({ visitor, session: { canLogIn } }): Sent<SessionJson> => ({ operator: shown(visitor), canLogIn })
}

const logIn: OpenRoute<{ body: LoginBodyJson }> = {
  method: 'POST',
  path: 'session',
  scope: 'none',
  schema: {
    summary: 'Log in with a token: begins a session of 12 hours in a cookie',
    body: schemas.LoginBody,
    response: { 200: schemas.Session }
  },
  async handle({ session, log }, { body: { token } }) {
    if (!session.canLogIn)
      throw new RiverhookError('RIVERHOOK_ADMIN_INVALID', 'There are no tokens here: a proxy or the host logs in')
    const begun = session.begin(token)
    if (begun === undefined) {
      await session.failed()
      throw wrongToken()
    }
    const { visitor, cookie } = begun
    log.info({ operator: visitor.name, scopes: [...visitor.scopes] }, 'operator logged in')
    return new AdminAnswer({
      headers: { 'set-cookie': cookie },
      body: { operator: shown(visitor), canLogIn: true }
    })
  }
}

const logOut: OpenRoute = {
  method: 'DELETE',
  path: 'session',
  scope: 'none',
  schema: { summary: 'Log out: ends the session in this browser', response: { 200: schemas.Session } },
  handle: ({ session: { canLogIn, endingHeaders } }) =>
    new AdminAnswer({ headers: endingHeaders(), body: { operator: null, canLogIn } })
}

function shown(visitor: OpenContext['visitor']): Sent<SessionJson>['operator'] {
  return visitor === undefined ? null : { ...visitor, scopes: [...visitor.scopes] }
}

export const sessionRoutes: readonly OpenRoute[] = [whoAmI, logIn, logOut]
