import { useSignal } from '@preact/signals'

import { visible } from '../text.ts'
import { Icon } from './icon.tsx'

/** Copies also over plain HTTP, where browsers have no clipboard for pages. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    area.className = 'sr'
    // Inside an open dialog, because nothing outside it can have the focus.
    const parent = document.activeElement?.closest('dialog') ?? document.body
    const focused = document.activeElement
    parent.append(area)
    area.select()
    // The only way without a secure context.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    const isCopied = document.execCommand('copy')
    area.remove()
    if (focused instanceof HTMLElement) focused.focus()
    return isCopied
  }
}

interface CopyProps {
  readonly text: string
  /** The name of the text, such as `event id`. */
  readonly what: string
  readonly label?: string
}

export function CopyButton({ text, what, label }: CopyProps) {
  const state = useSignal<'ready' | 'copied' | 'failed'>('ready')
  const onClick = async (event: Event): Promise<void> => {
    event.stopPropagation()
    state.value = (await copy(text)) ? 'copied' : 'failed'
    setTimeout(() => {
      state.value = 'ready'
    }, 1_500)
  }
  const name =
    state.value === 'ready'
      ? `Copy ${what}`
      : state.value === 'copied'
        ? 'Copied'
        : 'This browser does not let pages copy'
  return (
    <button
      type="button"
      class={label === undefined ? 'copy' : 'button'}
      title={name}
      aria-label={label === undefined ? name : undefined}
      onClick={(event) => void onClick(event)}
    >
      <Icon name={state.value === 'copied' ? 'check' : 'copy'} />
      {label !== undefined && <span>{state.value === 'copied' ? 'Copied' : label}</span>}
    </button>
  )
}

/** A command to paste into a terminal. */
export function Command({ text }: { readonly text: string }) {
  return (
    <div class="command">
      <pre>{text}</pre>
      <CopyButton text={text} what="command" />
    </div>
  )
}

/** An id in a monospaced face with its copy button. */
export function Id({ text, what = 'id' }: { readonly text: string; readonly what?: string }) {
  return (
    <span class="id">
      <code title={visible(text)}>{visible(text)}</code>
      <CopyButton text={text} what={what} />
    </span>
  )
}
