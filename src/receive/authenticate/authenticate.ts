import { RiverhookError } from '../../model/errors.ts'
import type { Receipt } from '../../model/event.ts'
import { IsoTexts } from '../../model/iso-texts.ts'
import type { IncomingRequest, Source } from '../../source/source.ts'
import { basicCheck, type BasicCredentials } from './basic.ts'
import { bearerCheck, issuedCheck, type BearerRule } from './bearer.ts'
import type { HeaderVerdict } from './header-verdict.ts'
import type { IssuedTokens } from './issued-tokens.ts'
import { SignatureCheck, type CheckedVerdict, type SecretsRule } from './signature.ts'

/** The checks of one endpoint; at least one of the first four. */
export interface Checks {
  /** The endpoint's path, for the log. */
  readonly path: string
  readonly secrets?: SecretsRule | undefined
  readonly basicAuth?: BasicCredentials | readonly BasicCredentials[] | undefined
  readonly bearer?: BearerRule | undefined
  /** The tokens of the endpoint's own token endpoint; not together with `bearer`. */
  readonly tokens?: IssuedTokens | undefined
  /** In milliseconds. */
  readonly tolerance: number
  /** `any`: accepts a matching signature even if its time cannot be read. */
  readonly timestamps: 'readable' | 'any'
}

export type Judgement =
  | {
      readonly ok: true
      readonly receipt: Receipt
      /** The secret that matched, for an answer of the source's own. Undefined without a signature check. */
      readonly secret: string | undefined
    }
  | {
      readonly ok: false
      readonly reason: string
      /** For a signature that matches no secret but has a time within the tolerance: explains why, if it can. */
      readonly unmatched: boolean
      /** The sender should fetch another token. */
      readonly isTokenInvalid?: true
    }

/** Authenticates requests: every configured check must pass. */
export interface Authenticator {
  /**
   * @throws what the user's function for the secrets or the bearer token throws: an internal error, not one of the
   * sender
   */
  judge(request: IncomingRequest, now: Date): Judgement | Promise<Judgement>
  /** The `WWW-Authenticate` header of the 401: the accepted schemes. */
  readonly challenges: readonly string[]
  /** Undefined if there is no signature check. */
  readonly signature: SignatureCheck | undefined
}

/**
 * Makes the authenticator of an endpoint.
 * @throws {RiverhookError} RIVERHOOK_SOURCE_SECRET if a secret cannot be used
 */
export function createAuthenticator(checks: Checks, source: Source): Authenticator {
  const { path, secrets, basicAuth, bearer, tokens, tolerance, timestamps } = checks
  const signature =
    secrets === undefined
      ? undefined
      : new SignatureCheck({ path, source, secrets, toleranceMs: tolerance, timestamps })
  const basic = basicAuth === undefined ? undefined : basicCheck(basicAuth)
  const token = tokens !== undefined ? issuedCheck(tokens) : bearer === undefined ? undefined : bearerCheck(bearer)
  const names = [
    ...(signature === undefined ? [] : ['signature']),
    ...(basic === undefined ? [] : ['basic']),
    ...(token === undefined ? [] : ['bearer'])
  ]
  const challenges = [
    ...(basic === undefined ? [] : ['Basic realm="riverhook", charset="UTF-8"']),
    ...(token === undefined ? [] : ['Bearer realm="riverhook"'])
  ]
  const judgedTimes = new IsoTexts()
  const signedTimes = new IsoTexts()
  return { judge, challenges, signature }

  // Promises are used only if a user's function returns one: every request passes here.
  function judge(request: IncomingRequest, now: Date): Judgement | Promise<Judgement> {
    if (basic !== undefined) {
      const verdict = basic(request.headers['authorization'])
      if (!verdict.ok) return { ok: false, reason: verdict.reason, unmatched: false }
    }
    if (token === undefined) return judgeSignature(request, now)
    const verdict = token(request.headers['authorization'], now)
    return verdict instanceof Promise
      ? verdict.then((later) => afterBearer(later, request, now))
      : afterBearer(verdict, request, now)
  }

  function afterBearer(verdict: HeaderVerdict, request: IncomingRequest, now: Date): Judgement | Promise<Judgement> {
    return verdict.ok ? judgeSignature(request, now) : { ...verdict, unmatched: false }
  }

  function judgeSignature(request: IncomingRequest, now: Date): Judgement | Promise<Judgement> {
    const judgedAt = judgedTimes.of(now)
    if (signature === undefined) return { ok: true, receipt: { judgedAt, checks: names }, secret: undefined }
    const toJudgement = (found: CheckedVerdict): Judgement => {
      if (!found.ok)
        return {
          ok: false,
          reason: found.detail,
          unmatched: found.reason === 'no_match' && signature.isInTime(found.signedAt, now)
        }
      const { secret, signedAt } = found
      const skewMs = signedAt === undefined ? undefined : (found.skewMs ?? now.getTime() - Number(signedAt))
      // The receipt is stored as JSON, in one transaction with other events.
      if (!Number.isSafeInteger(secret) || (skewMs !== undefined && !Number.isFinite(skewMs))) {
        const message = `verify() of the source ${source.name} must return "secret" as a whole number, "signedAt" as a Date and "skewMs" as a number`
        throw new RiverhookError('RIVERHOOK_RECEIVE_FAULT', message)
      }
      const time = signedAt === undefined || skewMs === undefined ? {} : { signedAt: signedTimes.of(signedAt), skewMs }
      return { ok: true, receipt: { judgedAt, checks: names, secret, ...time }, secret: found.matched }
    }
    const verdict = signature.verify(request, now)
    return verdict instanceof Promise ? verdict.then(toJudgement) : toJudgement(verdict)
  }
}
