import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'

import { Icon, type IconName } from './icon.tsx'

interface DialogButtonProps {
  readonly icon: IconName
  readonly label: string
  /** The name for screen readers, if the label does not say enough. */
  readonly name?: string | undefined
  readonly hint?: string | undefined
  /** True to show the icon alone, where there is little room. */
  readonly isIcon?: boolean
  /** Its look. Default: `button`. */
  readonly look?: string
  readonly dialog: (onClose: (isDone: boolean) => void) => ComponentChildren
  /** Called when the dialog is closed after it has changed something. */
  readonly onDone: () => void
}

/** A button that opens a dialog. */
export function DialogButton({
  icon,
  label,
  name,
  hint,
  isIcon = false,
  look = 'button',
  dialog,
  onDone
}: DialogButtonProps) {
  const isOpen = useSignal(false)
  return (
    <>
      <button
        type="button"
        class={look}
        title={hint}
        aria-label={name ?? (isIcon ? label : undefined)}
        onClick={() => {
          isOpen.value = true
        }}
      >
        <Icon name={icon} />
        {!isIcon && label}
      </button>
      {isOpen.value &&
        dialog((isDone) => {
          isOpen.value = false
          if (isDone) onDone()
        })}
    </>
  )
}
