import { signal, useSignal } from '@preact/signals'
import { Fragment, type ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'

import { Alarms } from './alarms.tsx'
import { call, session } from './api.ts'
import { Keys } from './keys.tsx'
import { base, link, usePlace } from './link.ts'
import { hasKeys, theme, zone, type Theme, type Zone } from './settings.ts'
import { visible } from './text.ts'
import { Icon } from './ui/icon.tsx'
import { Mark } from './ui/mark.tsx'
import { Segmented } from './ui/pieces.tsx'
import { views } from './views.ts'

const isMenuOpen = signal(false)

/** The frame of every view: the name, the navigation, the settings, the operator. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  const place = usePlace()
  const isHelpOpen = useSignal(false)
  const view = place.segments[0] ?? 'events'
  useEffect(() => {
    isMenuOpen.value = false
  }, [view])
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <header class="bar">
        <a class="brand" href={base}>
          <Mark />
          Riverhook
        </a>
        <button
          type="button"
          class="ghost bar-menu"
          aria-expanded={isMenuOpen.value}
          aria-controls="side"
          aria-label="Menu"
          onClick={() => {
            isMenuOpen.value = !isMenuOpen.value
          }}
        >
          <Icon name={isMenuOpen.value ? 'close' : 'menu'} />
        </button>
      </header>
      <aside class={isMenuOpen.value ? 'side open' : 'side'} id="side">
        <a class="brand" href={base}>
          <Mark />
          Riverhook
        </a>
        <nav aria-label="Views">
          {views.map(({ name, title, icon, group }) => (
            <Fragment key={name}>
              {group !== undefined && <h2>{group}</h2>}
              <a href={link([name])} aria-current={view === name ? 'page' : undefined}>
                <Icon name={icon} />
                {title}
              </a>
            </Fragment>
          ))}
        </nav>
        <div class="side-foot">
          <Segmented<Zone>
            label="Times"
            value={zone.value}
            choices={[
              { value: 'local', label: 'Local' },
              { value: 'utc', label: 'UTC' }
            ]}
            onChange={(value) => {
              zone.value = value
              place.go(place.with({ tz: value }), true)
            }}
          />
          <Segmented<Theme>
            label="Colours"
            isIcons
            value={theme.value}
            choices={[
              { value: 'system', label: 'As the system', icon: 'screen' },
              { value: 'light', label: 'Light', icon: 'sun' },
              { value: 'dark', label: 'Dark', icon: 'moon' }
            ]}
            onChange={(value) => {
              theme.value = value
            }}
          />
        </div>
        <Who
          onHelp={() => {
            isHelpOpen.value = true
          }}
        />
      </aside>
      <main id="main" tabIndex={-1}>
        <Alarms />
        {children}
      </main>
      <Keys isHelpOpen={isHelpOpen} isOn={hasKeys} go={place.go} />
    </div>
  )
}

function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Who({ onHelp }: { readonly onHelp: () => void }) {
  const who = session.value
  if (who === undefined || who === null) return null
  return (
    <div class="who">
      <span class="who-name" title={`May ${who.scopes.join(', ')}`}>
        {visible(who.name)}
      </span>
      <button type="button" class="ghost" title="Keys (?)" aria-label="Keys" onClick={onHelp}>
        <Icon name="keyboard" />
      </button>
      <button
        type="button"
        class="ghost"
        title="Sign out"
        aria-label="Sign out"
        onClick={() => {
          void call('session', { method: 'DELETE' }).finally(() => {
            session.value = null
          })
        }}
      >
        <Icon name="out" />
      </button>
    </div>
  )
}
