import { useSignal } from '@preact/signals'

import { ApiError, call, canLogIn, session, type SessionAnswer } from './api.ts'
import { Mark } from './ui/mark.tsx'

/** Signs in with the token after `#token=`, which a server never sees, and takes it out of the address. */
export async function signInByFragment(): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get('token')
  if (token === null) return
  history.replaceState(history.state, '', location.pathname + location.search)
  await signIn(token)
}

async function signIn(token: string): Promise<void> {
  session.value = (await call<SessionAnswer>('session', { method: 'POST', body: { token: token.trim() } })).operator
}

export function SignIn({ problem }: { readonly problem: string | undefined }) {
  const error = useSignal(problem)
  const isBusy = useSignal(false)
  const onSubmit = async (form: HTMLFormElement): Promise<void> => {
    const token = new FormData(form).get('token')
    if (typeof token !== 'string' || token.trim() === '') {
      error.value = 'Paste a token'
      return
    }
    isBusy.value = true
    try {
      await signIn(token)
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason
      error.value = reason.status === 401 ? 'No operator has this token' : reason.message
    } finally {
      isBusy.value = false
    }
  }
  if (!canLogIn.value)
    return (
      <main class="sign-in">
        <div class="sign-in-box">
          <Mark />
          <h1>You are not signed in</h1>
          <p>Sign in where you usually do: the service or the proxy in front of this page decides who may come in.</p>
          <button
            type="button"
            class="button primary"
            onClick={() => {
              location.reload()
            }}
          >
            Try again
          </button>
        </div>
      </main>
    )
  return (
    <main class="sign-in">
      <form
        class="sign-in-box"
        onSubmit={(event) => {
          event.preventDefault()
          void onSubmit(event.currentTarget)
        }}
      >
        <Mark />
        <h1>Sign in to Riverhook</h1>
        <label for="token">Operator's token</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          autofocus
          spellcheck={false}
          aria-describedby="token-help"
          aria-invalid={error.value !== undefined}
        />
        {error.value !== undefined && (
          <p class="field-error" role="alert">
            {error.value}
          </p>
        )}
        <button type="submit" class="button primary" disabled={isBusy.value}>
          {isBusy.value ? 'Signing in…' : 'Sign in'}
        </button>
        <p id="token-help" class="hint">
          Make one with <code>riverhook admin token --name you</code>
        </p>
      </form>
    </main>
  )
}
