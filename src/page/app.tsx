import { useSignal } from '@preact/signals'
import { Route, Router } from 'preact-iso/router'
import { useEffect } from 'preact/hooks'

import { ApiError, call, canLogIn, session, type SessionAnswer } from './api.ts'
import { Events } from './events/events.tsx'
import { base, link } from './link.ts'
import { Shell } from './shell.tsx'
import { signInByFragment, SignIn } from './sign-in.tsx'
import { Empty, Head } from './ui/pieces.tsx'
import { views } from './views.ts'

export function App() {
  const problem = useSignal<string | undefined>(undefined)
  useEffect(() => {
    void begin().catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error
      if (error.status !== 401) problem.value = error.message
      session.value = null
    })
  }, [])
  if (session.value === undefined) return <div class="starting" role="status" aria-label="Loading" />
  if (session.value === null) return <SignIn problem={problem.value} />
  return (
    <Shell>
      <Router>
        <Route path={base} component={Events} />
        <Route path={`${base}events/:realm?/:id?`} component={Events} />
        {views
          .filter(({ name }) => name !== 'events')
          .map(({ name, component }) => (
            <Route key={name} path={base + name} component={component} />
          ))}
        <Route default component={NoView} />
      </Router>
    </Shell>
  )
}

async function begin(): Promise<void> {
  await signInByFragment()
  if (session.value !== undefined) return
  const answer = await call<SessionAnswer>('session')
  canLogIn.value = answer.canLogIn
  session.value = answer.operator
}

function NoView() {
  return (
    <div class="view">
      <Head title="No such page" />
      <Empty icon="search" title="There is no page at this address">
        <p>
          <a href={link(['events'])}>Go to the events</a>
        </p>
      </Empty>
    </div>
  )
}
