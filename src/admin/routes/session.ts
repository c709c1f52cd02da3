import { loggedError, RiverhookError, type Act, type Inbox } from '../../index.ts'
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
  async handle({ riverhook: { inbox }, session, log }, { body: { token } }) {
    if (!session.canLogIn)
      throw new RiverhookError('RIVERHOOK_ADMIN_INVALID', 'Log in through the proxy or the host, not with a token')
    const begun = session.begin(token)
    if (begun === undefined) {
      await session.failed()
      throw wrongToken()
    }
    const { visitor, actor, cookie } = begun
    log.info({ operator: visitor.name, scopes: [...visitor.scopes] }, 'operator logged in')
    await enter(inbox, log, { actor, action: 'session.begin', target: [...visitor.scopes].join(',') })
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
  async handle({ riverhook: { inbox }, visitor, actor, log, session: { canLogIn, endingHeaders } }) {
    if (visitor?.via === 'session' && actor !== undefined)
      await enter(inbox, log, { actor, action: 'session.end', target: [...visitor.scopes].join(',') })
    return new AdminAnswer({ headers: endingHeaders(), body: { operator: null, canLogIn } })
  }
}

/**
 * Enters the beginning or the end of a session in the audit log. Never rejects: while the inbox is unavailable, an
 * operator must get in. Failed logins are in the log only, where they are limited: they would fill the disk.
 */
async function enter(inbox: Inbox, log: OpenContext['log'], act: Act): Promise<void> {
  try {
    await inbox.audit(act, { count: 1, outcome: 'done' })
  } catch (error) {
    log.error(
      { operator: act.actor.name, action: act.action, err: loggedError(error) },
      'a session could not be entered in the audit log'
    )
  }
}

function shown(visitor: OpenContext['visitor']): Sent<SessionJson>['operator'] {
  return visitor === undefined ? null : { ...visitor, scopes: [...visitor.scopes] }
}

export const sessionRoutes: readonly OpenRoute[] = [whoAmI, logIn, logOut]
