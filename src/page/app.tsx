import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'

import { ApiError, call, canLogIn, session, type SessionAnswer } from './api.ts'
import { link, usePlace } from './link.ts'
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
      <CurrentView />
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

/** Only the list of events has addresses below its own: those of the events. */
function CurrentView() {
  const { segments } = usePlace()
  const [name = 'events'] = segments
  const shown = useRef(name)
  const isBack = useRef(false)
  useEffect(() => {
    const onBack = (): void => {
      isBack.current = true
    }
    addEventListener('popstate', onBack, true)
    return () => {
      removeEventListener('popstate', onBack, true)
    }
  }, [])
  useLayoutEffect(() => {
    // A list beside an opened event stays where it is. A narrow screen shows the event alone. The way back is the
    // browser's.
    if (!isBack.current && (shown.current !== name || !matchMedia('(min-width: 68rem)').matches)) scrollTo(0, 0)
    shown.current = name
    isBack.current = false
  }, [segments.join('/')])
  const view = views.find((one) => one.name === name && segments.length <= (name === 'events' ? 3 : 1))
  return view === undefined ? <NoView /> : <view.component />
}

function NoView() {
  return (
    <div class="view">
      <Head title="No such page" />
      <Empty icon="search" title="There is no page at this address">
        <a class="button" href={link(['events'])}>
          Go to the events
        </a>
      </Empty>
    </div>
  )
}
