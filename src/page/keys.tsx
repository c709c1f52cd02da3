import type { Signal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'

import { link } from './link.ts'
import { isSingleKey } from './single-key.ts'
import { Dialog } from './ui/dialog.tsx'
import { views } from './views.ts'

interface KeysProps {
  readonly isHelpOpen: Signal<boolean>
  readonly isOn: Signal<boolean>
  readonly go: (to: string) => void
}

/** The commands of single keys in every view, and the list of all keys. */
export function Keys({ isHelpOpen, isOn, go }: KeysProps) {
  // Kept while the address changes between two keys.
  const after = useRef('')
  // Before the view is painted: a key pressed at once counts.
  useLayoutEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const onKey = (event: KeyboardEvent): void => {
      if (!isSingleKey(event)) return
      const view = after.current === 'g' ? views.find(({ key }) => key === event.key) : undefined
      clearTimeout(timer)
      after.current = event.key
      timer = setTimeout(() => {
        after.current = ''
      }, 1_000)
      if (view !== undefined) go(link([view.name]))
      else if (event.key === '?') isHelpOpen.value = true
      else if (event.key === '/') document.querySelector<HTMLInputElement>('[data-search]')?.focus()
      else return
      event.preventDefault()
    }
    if (!isOn.value) return undefined
    document.addEventListener('keydown', onKey)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('keydown', onKey)
    }
  }, [go, isOn.value])
  if (!isHelpOpen.value) return null
  return (
    <Dialog
      title="Keys"
      onClose={() => {
        isHelpOpen.value = false
      }}
    >
      <dl class="keys">
        <Key keys={['/']} does="search" />
        <Key keys={['j', 'k']} does="next, previous event" />
        <Key keys={['Enter']} does="open it" />
        <Key keys={['x']} does="select it" />
        <Key keys={['Esc']} does="close it" />
        {views.map(({ name, title, key }) => (
          <Key key={name} keys={['g', key]} does={title} />
        ))}
        <Key keys={['?']} does="this list" />
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={isOn.value}
          onChange={(event) => {
            isOn.value = event.currentTarget.checked
          }}
        />
        Use single-key shortcuts
      </label>
    </Dialog>
  )
}

function Key({ keys, does }: { readonly keys: readonly string[]; readonly does: string }) {
  return (
    <div>
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </dt>
      <dd>{does}</dd>
    </div>
  )
}
